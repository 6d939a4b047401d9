"""Functions of two int8 values, with broadcasting and constants."""
