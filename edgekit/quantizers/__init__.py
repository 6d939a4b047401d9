"""Quantizers, found by file name: a float model in, a flatbuffer in the target's arithmetic out."""
