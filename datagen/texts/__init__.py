"""Text alone (the paper's 3.4.4)."""
