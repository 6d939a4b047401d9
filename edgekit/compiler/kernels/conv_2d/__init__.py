"""CONV_2D."""
