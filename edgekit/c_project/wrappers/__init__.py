"""The same C for each build system: their files, as they lie here, with the model's names in them."""
