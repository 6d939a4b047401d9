"""What runs a build and measures it: one file a driver; `base` has the contract."""
