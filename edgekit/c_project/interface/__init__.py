"""Raw rows to inputs, outputs to real values and names: the interface of a model in C."""
