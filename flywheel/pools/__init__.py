"""The documents and texts that train, test, or wait to be read."""
