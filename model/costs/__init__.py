"""What a training takes, by formula."""
