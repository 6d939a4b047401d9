"""What each layer costs when it alone is pruned, rounded or made narrower: sensitivity analysis."""
