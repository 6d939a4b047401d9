"""What executes a flatbuffer on this machine: `base` holds the contract."""
