"""Scene text (the paper's 3.4.1): pictures that are read, and signs that are drawn."""
