"""Which channels of a network can leave it, what must leave with them, and how they leave."""
