"""The native worker in C, and its compiler."""
