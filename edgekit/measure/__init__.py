"""Arithmetic on samples and traces: pure functions, no devices, no files."""
