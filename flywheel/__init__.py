"""Readers for languages that no reader here knows, and labels by them, round by round. README.md tells how."""
