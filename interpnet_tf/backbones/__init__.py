"""Backbones of images and of text, and the features that they give a classifier."""
