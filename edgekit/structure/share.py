"""Operators of a float flatbuffer that read one kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from edgekit.bridge.weights import KINDS, sharing
from edgekit.graph import edit
from edgekit.graph.graph import Graph, Op
from edgekit.graph.schema import generated


def alike(graph: Graph, op: Op) -> tuple[Any, ...]:
    """What operators have in common that could be calls of one layer: all but the kernel."""
    name, kernel, *rest = sharing(graph, op)
    return (name, graph.tensors[kernel].shape, *rest)


def share(data: bytes, groups: Iterable[Sequence[int]]) -> bytes:
    """The flatbuffer whose operators of a group read the kernel of the group's first.

    Tensors keep their indices; those that nobody reads any more hold nothing.

    Args:
        data: Float.
        groups: Indices of operators that are `alike`.
    """
    model = edit.unpack(data)
    graph = model.subgraphs[0]
    for first, *others in groups:
        place = KINDS[edit.operator_name(model, graph.operators[first])].kernel
        index = int(graph.operators[first].inputs[place])
        for number in others:
            inputs = np.array(graph.operators[number].inputs, np.int32)
            tensor = graph.tensors[int(inputs[place])]
            inputs[place] = index
            graph.operators[number].inputs = inputs
            left, tensor.buffer = tensor.buffer, edit.EMPTY
            if all(each.buffer != left for part in model.subgraphs for each in part.tensors):
                model.buffers[left] = generated().BufferT()
    return edit.pack(model)
