"""Dot products of columns with all channels, requantized: what convolutions and dense layers do."""
