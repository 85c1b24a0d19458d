"""Pipelines, and where they run."""
