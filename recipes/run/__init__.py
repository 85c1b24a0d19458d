"""The run of a recipe."""
