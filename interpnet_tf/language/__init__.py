"""Sentences: how they are normalised and cut into words, and networks that read them."""
