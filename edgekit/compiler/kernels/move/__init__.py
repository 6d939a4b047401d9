"""Slices, splits and transpositions: bytes to other places."""
