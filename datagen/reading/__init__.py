"""Who reads a line, which way up, and in which language."""
