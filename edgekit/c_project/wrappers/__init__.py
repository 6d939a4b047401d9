"""The same C for each build system: its files as they lie here, with the model's names in."""
