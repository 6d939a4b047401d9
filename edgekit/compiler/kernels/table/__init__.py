"""Functions of one int8 value, as tables."""
