"""The benchmark harness: from a finished build and a device to figures and a verdict on them."""
