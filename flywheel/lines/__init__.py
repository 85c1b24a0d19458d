"""Crops of lines for training."""
