"""Text drawn in typefaces."""
