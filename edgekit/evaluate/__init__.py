"""How good a built model is, against the float one: closeness, accuracy, intervals."""
