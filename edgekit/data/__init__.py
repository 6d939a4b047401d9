"""Calibration, training and evaluation data: streamed, seeded, hashed."""
