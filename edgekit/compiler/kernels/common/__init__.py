"""What the twins of several operations share."""
