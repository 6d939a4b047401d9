"""The model as a package of Swift for iOS and macOS: source with the model as a resource."""
