"""A model as a package for pip: a folder of sources, and the finished wheel."""
