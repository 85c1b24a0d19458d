"""What can be asked of an output."""
