"""What people correct in a dataset, and how it is taken in."""
