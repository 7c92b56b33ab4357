"""Exports of a trained model: a SavedModel for servers, a LiteRT file for phones."""
