"""SOFTMAX."""
