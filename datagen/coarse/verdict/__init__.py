"""Whether a text layer says what its page shows."""
