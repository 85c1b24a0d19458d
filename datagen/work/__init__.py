"""Pipelines and the runners of their tasks."""
