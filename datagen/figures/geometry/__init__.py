"""Plane geometry and its coordinates."""
