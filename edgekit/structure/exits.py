"""Exits put into a float flatbuffer: small networks that answer behind inner layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgekit.graph import count, edit, rewire
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.structure.adding import Adding
from edgekit.structure.exit_heads import Layer, add_head


def joints(graph: Graph) -> tuple[int, ...]:
    """Operators behind which one activation is all that the rest of the network needs.

    Those with no multiply-accumulates before or behind them are left out.
    """
    last = {index: op.index for op in graph.ops for index in op.inputs}
    last |= dict.fromkeys(graph.outputs, len(graph.ops))
    macs = np.cumsum(count.layer_macs(graph))
    alive, found = set(graph.inputs), []
    for op in graph.ops:
        alive |= set(op.outputs)
        alive = {index for index in alive if last.get(index, -1) > op.index}
        if alive == {*op.outputs} and len(alive) == 1 and 0 < macs[op.index] < macs[-1]:
            found.append(op.index)
    return tuple(op for op in found if readable(graph, graph.ops[op].outputs[0]))


def readable(graph: Graph, tensor: int) -> bool:
    """Whether an exit can take means of an activation; `tensor` is its index."""
    shape = graph.tensors[tensor].shape
    real = graph.tensors[tensor].dtype == "float32"
    return real and 2 <= len(shape) <= 4 and shape[0] == 1


def add_exits(
    data: bytes,
    behind: Sequence[int],
    layers: Sequence[Sequence[Layer]],
    grid: int = 1,
    chained: bool = False,
) -> bytes:
    """The flatbuffer with an output for each exit, behind its own.

    An exit runs its convolutions, takes means over cells of the picture (of a sequence over all of
    it), runs its dense layers (RELU between them), and ends as output 0 does: with SOFTMAX or
    without. Its operators stand right behind what it reads, so that a network can stop there.
    Tensors keep their indices; operators move.

    Args:
        data: Float, with one output [1, classes].
        behind: Indices of operators, ascending.
        layers: Of each exit.
        grid: Cells a picture has along each side, at most; 1: the mean over all of it.
        chained: Whether the first dense layer of an exit reads what those of the exits before it
            read, too, behind its own means.
    """
    graph, model = read(data), edit.unpack(data)
    made, before = [], -1
    for number, (op, own) in enumerate(zip(behind, layers, strict=True), start=1):
        source = graph.ops[op].outputs[0]
        new = Adding(model, f"exit_{number}", source)
        operators, means = add_head(new, graph, source, own, grid, before)
        before = means if chained else -1
        made.append(operators)
    main = model.subgraphs[0]
    for op, operators in reversed(list(zip(behind, made, strict=True))):
        main.operators[op + 1 : op + 1] = operators
    outputs = [int(operators[-1].outputs[0]) for operators in made]
    main.outputs = np.array([*main.outputs, *outputs], np.int32)
    names = {f"exit_{number}": output for number, output in enumerate(outputs, start=1)}
    for signature in model.signatureDefs or []:
        signature.outputs = [*signature.outputs, *rewire.named(names)]
    return edit.pack(model)
