"""Golden vectors: what a device is given and must return before its figures are believed."""
