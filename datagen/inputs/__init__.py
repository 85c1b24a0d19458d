"""Inputs: listing and fetching them."""
