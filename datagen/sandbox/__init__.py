"""The child process that native parsers run in."""
