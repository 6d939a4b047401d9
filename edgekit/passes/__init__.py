"""Compression passes, one file each: a float model in, a smaller or readier one out."""
