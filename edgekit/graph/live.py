"""How much of a graph is alive at once: what no interpreter without tricks can do with less."""

from __future__ import annotations

import math

import numpy as np

from edgekit.graph.graph import Graph, Tensor

_VIEWS = frozenset(["RESHAPE", "SQUEEZE", "EXPAND_DIMS"])
"""Ops whose output may be their input's bytes."""
_ALIGN = 16
"""Of a tensor in the arena of TensorFlow Lite Micro."""


def peak_bytes(graph: Graph) -> int | None:
    """The most bytes of inputs, activations and outputs that some step needs at once.

    Constants are not counted, nor are subgraphs. A tensor is alive from the step that writes it to
    the last that reads it; the model's inputs and outputs are no exception, as in TensorFlow Lite
    Micro.

    Args:
        graph: With shapes; a dimension of -1 counts as 1.

    Returns:
        None where a tensor's type has no size, as strings have none.
    """
    owner = _owners(graph)
    first, last = _lives(graph, owner)
    sizes = {index: _bytes(graph.tensors[index]) for index in first}
    if None in sizes.values():
        return None
    steps = range(len(graph.ops) or 1)
    alive = ((i for i in first if first[i] <= step <= last[i]) for step in steps)
    return max(sum(sizes[index] or 0 for index in each) for each in alive)


def _owners(graph: Graph) -> dict[int, int]:
    """Tensor -> the one whose bytes it is."""
    owner: dict[int, int] = {}
    for op in graph.ops:
        if op.name in _VIEWS and op.inputs and graph.tensors[op.inputs[0]].data is None:
            source = op.inputs[0]
            owner |= {index: owner.get(source, source) for index in op.outputs}
    return owner


def _lives(graph: Graph, owner: dict[int, int]) -> tuple[dict[int, int], dict[int, int]]:
    """First and last step of each tensor that is no constant."""
    first = {owner.get(index, index): 0 for index in graph.inputs}
    last = dict(first)
    for step, op in enumerate(graph.ops):
        for index in (*op.inputs, *op.outputs):
            if index >= 0 and graph.tensors[index].data is None:
                place = owner.get(index, index)
                first.setdefault(place, step)
                last[place] = step
    end = max(len(graph.ops) - 1, 0)
    last |= {place: end for i in graph.outputs if (place := owner.get(i, i)) in first}
    return first, last


def _bytes(tensor: Tensor) -> int | None:
    try:
        item = np.dtype(tensor.dtype).itemsize
    except TypeError:
        return None
    count = math.prod(max(size, 1) for size in tensor.shape)
    return -(-count * item // _ALIGN) * _ALIGN
