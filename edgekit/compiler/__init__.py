"""Our own compiler: an int8 graph to plain C for microcontrollers, bit for bit what TFLM does."""
