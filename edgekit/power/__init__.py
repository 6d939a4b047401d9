"""Power meters, one file each; `base` is their contract."""
