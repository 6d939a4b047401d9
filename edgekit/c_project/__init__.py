"""A model as a folder of C: compiled, proved on golden vectors, weighed, written."""
