"""Crops of lines to learn from."""
