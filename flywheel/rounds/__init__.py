"""Rounds, and the rule that keeps them."""
