"""PAD and PADV2."""
