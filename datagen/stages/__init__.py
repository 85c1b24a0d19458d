"""Verbs applied to samples, in batches: each yields samples or drops."""
