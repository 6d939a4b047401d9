"""Inputs of golden vectors: seeded, of a few kinds, few where they are large.

Everything is made with integers, so the same model has the same vectors on every machine.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.graph.graph import Graph, Tensor

Row = tuple[NDArray[Any], ...]
KINDS = ("random", "smooth", "lowest", "highest")
"""What the vectors are, in turn."""
LEAST, MOST = 2, 8
BYTES = 128 << 10
"""Of all inputs together, and of all outputs, unless two vectors are more than that."""
_SMOOTHEST = 9


def vectors(graph: Graph, seed: int = 0) -> list[Row]:
    """Seeded inputs of a model, as many of each kind as their size allows."""
    random = np.random.default_rng(seed)
    tensors = [(tensor, _real(graph, tensor)) for tensor in graph.input_tensors()]
    return [
        tuple(_stored(tensor, real, KINDS[number % len(KINDS)], random) for tensor, real in tensors)
        for number in range(_count(graph))
    ]


def _count(graph: Graph) -> int:
    sides = (graph.input_tensors(), graph.output_tensors())
    largest = max(sum(max(1, tensor.nbytes) for tensor in side) for side in sides)
    return min(MOST, max(LEAST, BYTES // largest))


def _stored(
    tensor: Tensor, real: tuple[float, int], kind: str, random: np.random.Generator
) -> NDArray[Any]:
    steps = _steps(kind, tensor.elements, random).reshape(tensor.shape)
    dtype = np.dtype(tensor.dtype)
    if dtype.kind == "f":
        scale, zero = real
        return ((steps - zero) * np.float32(scale)).astype(dtype)
    if dtype.kind == "u":
        return (steps + 128).astype(dtype)
    if dtype.itemsize > 2 or dtype.kind == "b":  # may be indices: 0 and 1 are always in range
        return (steps & 1).astype(dtype)
    return (steps * (256 if dtype == np.int16 else 1)).astype(dtype)


def _steps(kind: str, count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """int64 [count] from -128 to 127."""
    if kind == "random":
        return random.integers(-128, 128, count)
    if kind == "smooth":  # a walk that is thrown back at both ends
        start = int(random.integers(0, 510))
        walk = start + np.cumsum(random.integers(-_SMOOTHEST, _SMOOTHEST + 1, count))
        return np.asarray(127 - np.abs(walk % 510 - 255))
    return np.full(count, -128 if kind == "lowest" else 127, np.int64)


def _real(graph: Graph, tensor: Tensor) -> tuple[float, int]:
    """Scale and zero point that the model gives a float input first, else those of -1 to 1."""
    for op in graph.ops:
        if op.name == "QUANTIZE" and op.inputs[0] == tensor.index:
            known = graph.tensors[op.outputs[0]].quantization
            if known is not None and not known.per_channel and math.isfinite(known.scale[0]):
                return float(known.scale[0]), int(known.zero_point[0])
    return 1 / 128, 0
