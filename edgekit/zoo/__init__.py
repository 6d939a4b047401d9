"""Compact networks as untrained Keras models: students of `distill`, where a search begins."""
