"""The parts of the serial driver: the line, the protocol on it, windows, the runner's format."""
