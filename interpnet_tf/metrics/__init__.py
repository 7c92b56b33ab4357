"""Scores of generated explanations."""
