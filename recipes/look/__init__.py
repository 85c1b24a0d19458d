"""A dataset as a page for a browser: people look at it, worst first, and correct it by a patch."""
