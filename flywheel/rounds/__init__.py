"""Rounds, and which are kept."""
