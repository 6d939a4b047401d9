"""Search: the best builds under a budget, found by trials."""
