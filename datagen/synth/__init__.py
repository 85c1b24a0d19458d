"""Makers of pages that nobody has: known text in, documents out."""
