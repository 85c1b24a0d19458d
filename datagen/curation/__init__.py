"""What happens to a dataset that is made: duplicates, contamination, forgetting."""
