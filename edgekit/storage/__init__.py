"""A model as few bytes: every constant in the form that stores it smallest, and back exactly.

For what travels or rests: over the air, in external flash, in a package. It is unpacked before it
runs, by `unpack` or by the C in `edgekit_unpack.c`, to the same bytes as before.
"""
