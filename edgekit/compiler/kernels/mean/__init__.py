"""MEAN and SUM."""
