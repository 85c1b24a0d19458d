"""The content of Word files."""
