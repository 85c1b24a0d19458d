"""Readers for languages that no reader here knows, and labels by them, round by round. How it works is in README.md."""
