"""What builds, benches and studies found, as one report in several formats; see `base`."""
