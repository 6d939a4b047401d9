"""One folder an operation: the host twin in Python beside the device twins in C."""
