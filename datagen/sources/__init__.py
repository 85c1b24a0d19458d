"""Readers of what people have: each turns documents into samples."""
