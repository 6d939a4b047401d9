"""Blocks of layers that a network can do without: their output has the shape of what goes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.bridge.weights import has_weights
from edgekit.graph import edit
from edgekit.graph.graph import Graph
from edgekit.graph.schema import generated


@dataclass(frozen=True)
class Block:
    """Operators that nobody needs when the readers of one tensor read another.

    Attributes:
        start: Index of the tensor that is read then.
        end: Index of the tensor that was read.
        ops: Indices of the operators, those with weights among them.
    """

    start: int
    end: int
    ops: tuple[int, ...]


def blocks(graph: Graph) -> tuple[Block, ...]:
    """Every block of a graph, for each tensor the smallest that ends with it."""
    before, found = _before(graph), []
    for op in graph.ops:
        end = op.outputs[0] if len(op.outputs) == 1 else -1
        if end < 0 or end in graph.outputs:
            continue
        same = [i for i in before[end] if graph.tensors[i].shape == graph.tensors[end].shape]
        made = [Block(i, end, _needless(graph, i, end)) for i in same if i not in graph.inputs]
        weighty = [b for b in made if any(has_weights(graph, graph.ops[n]) for n in b.ops)]
        if weighty:
            found.append(min(weighty, key=lambda block: len(block.ops)))
    return tuple(found)


def bypass(data: bytes, block: Block) -> bytes:
    """The flatbuffer without a block; tensors keep their indices."""
    model = edit.unpack(data)
    graph = model.subgraphs[0]
    for operator in graph.operators:
        inputs = np.array(operator.inputs, np.int32)
        operator.inputs = np.where(inputs == block.end, block.start, inputs).astype(np.int32)
    gone = {int(i) for n in block.ops for i in graph.operators[n].inputs if i >= 0}
    graph.operators = [op for n, op in enumerate(graph.operators) if n not in block.ops]
    _empty(model, gone - {int(i) for op in graph.operators for i in op.inputs})
    edit.drop_unused(model)
    return edit.pack(model)


def _before(graph: Graph) -> Mapping[int, frozenset[int]]:
    """Activation -> all that it depends on."""
    found = dict.fromkeys(graph.inputs, frozenset[int]())
    for op in graph.ops:
        known = [index for index in op.inputs if index in found]
        union = frozenset(known).union(*(found[index] for index in known))
        found |= dict.fromkeys(op.outputs, union)
    return found


def _needless(graph: Graph, start: int, end: int) -> tuple[int, ...]:
    """Operators that no output needs when `start` is read in place of `end`."""
    needed = {start if index == end else index for index in graph.outputs}
    left = []
    for op in reversed(graph.ops):
        if needed.isdisjoint(op.outputs):
            left.append(op.index)
        else:
            needed |= {start if index == end else index for index in op.inputs}
    return tuple(reversed(left))


def _empty(model: Any, tensors: set[int]) -> None:
    """Constants that nobody reads lose their values."""
    held = model.subgraphs[0].tensors
    for index in tensors:
        buffer = held[index].buffer
        if sum(tensor.buffer == buffer for tensor in held) == 1:
            model.buffers[buffer] = generated().BufferT()
        held[index].buffer = edit.EMPTY
