"""Range estimators, found by file name; each is a pure function from a histogram to a range."""
