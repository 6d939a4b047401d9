"""Exits put into a float flatbuffer: means and dense layers that answer behind inner layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.heads import head_of
from edgekit.graph import count, edit, rewire
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.structure.adding import Adding

Array = NDArray[Any]
RELU, VALID = 1, 1
"""Of schema.fbs, ActivationFunctionType and Padding."""


@dataclass(frozen=True, eq=False)
class Dense:
    """A dense layer: kernel [outputs, inputs] and bias [outputs]."""

    kernel: Array
    bias: Array


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
    return tuple(op for op in found if pooled(graph, graph.ops[op].outputs[0]))


def pooled(graph: Graph, tensor: int, grid: int = 1) -> int:
    """How many means an exit takes of an activation; 0 where it has none.

    Args:
        graph: Float.
        tensor: Its index.
        grid: As `add_exits` takes it.
    """
    shape = graph.tensors[tensor].shape
    real = graph.tensors[tensor].dtype == "float32"
    if not real or not 2 <= len(shape) <= 4 or shape[0] != 1:
        return 0
    return shape[-1] * (math.prod(_cells(shape, grid)) if len(shape) == 4 else 1)


def _cell(shape: Sequence[int], grid: int) -> tuple[int, int]:
    return -(-shape[1] // grid), -(-shape[2] // grid)


def _cells(shape: Sequence[int], grid: int) -> tuple[int, int]:
    height, width = _cell(shape, grid)
    return shape[1] // height, shape[2] // width


def add_exits(
    data: bytes, behind: Sequence[int], layers: Sequence[Sequence[Dense]], grid: int = 1
) -> bytes:
    """The flatbuffer with an output for each exit, behind its own.

    An exit takes means over cells of the picture (of a sequence over all of it), runs its dense
    layers (RELU between them), and ends as output 0 does: with SOFTMAX or without. Its operators
    stand right behind what it reads, so that a network can stop there. Tensors keep their indices;
    operators move.

    Args:
        data: Float, with one output [1, classes].
        behind: Indices of operators, ascending.
        layers: Of each exit.
        grid: Cells a picture has along each side, at most; 1: the mean over all of it.
    """
    graph, model = read(data), edit.unpack(data)
    made = [
        _Exit(model, graph, number, graph.ops[op].outputs[0]).run(dense, grid)
        for number, (op, dense) in enumerate(zip(behind, layers, strict=True), start=1)
    ]
    main = model.subgraphs[0]
    for op, (operators, _) in reversed(list(zip(behind, made, strict=True))):
        main.operators[op + 1 : op + 1] = operators
    outputs = [output for _, output in made]
    main.outputs = np.array([*main.outputs, *outputs], np.int32)
    names = {f"exit_{number}": output for number, output in enumerate(outputs, start=1)}
    for signature in model.signatureDefs or []:
        signature.outputs = [*signature.outputs, *rewire.named(names)]
    return edit.pack(model)


class _Exit:
    """The work on one exit."""

    def __init__(self, model: Any, graph: Graph, number: int, source: int) -> None:
        self._model, self._graph, self._main = model, graph, model.subgraphs[0]
        self._name, self._source = f"exit_{number}", source
        self._new = Adding(model, self._name, source)

    def run(self, layers: Sequence[Dense], grid: int) -> tuple[list[Any], int]:
        """Operators, and the tensor that they end with."""
        made, x = self._pooled(grid)
        for place, dense in enumerate(layers):
            last = place + 1 == len(layers)
            suffix = "scores" if last else f"hidden{place}"
            made.append(self._dense(x, dense, suffix, 0 if last else RELU))
            x = int(made[-1].outputs[0])
        _, op = head_of(self._graph, self._graph.outputs[0])
        if op is not None:
            answer = self._new.activation("answer", (layers[-1].bias.size,))
            beta = float(op.options.get("beta", 1.0))
            made.append(
                rewire.operator(self._model, "SOFTMAX", (x,), answer, "SoftmaxOptions", beta=beta)
            )
            x = answer
        return made, x

    def _pooled(self, grid: int) -> tuple[list[Any], int]:
        """Means of cells side by side, of a sequence the mean; nothing of a vector."""
        model, shape = self._model, self._graph.tensors[self._source].shape
        if len(shape) == 2:
            return [], self._source
        if len(shape) == 3:
            where = rewire.add_integers(model, self._main, [1], f"{self._name}_axes")
            mean = self._new.activation("mean", shape[-1:])
            both = (self._source, where)
            return [rewire.operator(model, "MEAN", both, mean, "ReducerOptions")], mean
        (height, width), cells = _cell(shape, grid), _cells(shape, grid)
        size = {"filterHeight": height, "filterWidth": width}
        steps = {"strideH": height, "strideW": width, "padding": VALID}
        mean = self._new.activation("mean", (*cells, shape[-1]))
        flat = self._new.activation("flat", (math.prod(cells) * shape[-1],))
        shape_of = [-1, math.prod(cells) * shape[-1]]
        where = rewire.add_integers(model, self._main, shape_of, f"{self._name}_shape")
        read, table = (self._source,), "Pool2DOptions"
        return [
            rewire.operator(model, "AVERAGE_POOL_2D", read, mean, table, **size, **steps),
            rewire.operator(model, "RESHAPE", (mean, where), flat, "ReshapeOptions"),
        ], flat

    def _dense(self, x: int, dense: Dense, suffix: str, activation: int) -> Any:
        kernel = self._new.constant(f"{suffix}/kernel", dense.kernel)
        bias = self._new.constant(f"{suffix}/bias", dense.bias)
        return rewire.operator(
            self._model,
            "FULLY_CONNECTED",
            (x, kernel, bias),
            self._new.activation(suffix, (dense.bias.size,)),
            "FullyConnectedOptions",
            fusedActivationFunction=activation,
        )
