"""What a Word file says."""
