"""`python -m edgekit` is the same command as `edgekit`."""

from edgekit.cli import entry

entry()
