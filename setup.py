"""The packages, found on disk; everything else is in setup.cfg."""

from setuptools import find_packages, setup

# `targets/` is installed as `edgekit_targets`, which `packages = find:` in setup.cfg cannot say.
setup(packages=[*find_packages(include=["edgekit", "edgekit.*"]), "edgekit_targets"])
