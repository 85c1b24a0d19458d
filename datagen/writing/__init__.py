"""Scripts, and how they run."""
