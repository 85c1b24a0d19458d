"""What there is to read, and getting it."""
