"""Which documents and texts train, test, or wait to be read."""
