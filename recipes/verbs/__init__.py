"""Commands on an output."""
