"""Experiments: whole studies from data to table."""
