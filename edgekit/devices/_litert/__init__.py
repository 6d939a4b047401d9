"""LiteRT on something with processes: a worker there, and this machine's side of it."""
