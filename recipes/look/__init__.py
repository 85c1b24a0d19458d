"""A dataset as a page for a browser: looked at, worst first, and corrected into a patch."""
