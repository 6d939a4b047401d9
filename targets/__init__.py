"""Targets and runtimes as TOML files; installed as `edgekit_targets`."""
