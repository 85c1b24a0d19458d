"""Readings, gates and labels."""
