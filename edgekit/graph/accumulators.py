"""Bits that the sums of an integer layer need, by a rule and exactly, beside what a runtime gives.

The rule knows sizes alone: products of n bits each, c x k x k of them. The exact bound knows the
weights: the largest sum, and the smallest, that any input can bring about at any moment, in
whatever order it is added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.affine import limits
from edgekit.graph.graph import Graph, Op, Tensor

CHANNEL_AXIS = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": 3}
_BITS = {"int4": 4, "int8": 8, "uint8": 8, "int16": 16}


@dataclass(frozen=True)
class Accumulator:
    """Sums of one layer.

    Attributes:
        index: Of the operator.
        name: Of its output.
        rule: 2 n + log2(c k^2) bits, rounded up; of operands of n and m bits n + m.
        exact: Bits of a two's complement number that holds every sum there can be.
        runtime: Bits that LiteRT's and TensorFlow Lite Micro's kernels add up in: 32, and 64 for
            16-bit activations with 64-bit biases (their integer reference kernels).
    """

    index: int
    name: str
    rule: int
    exact: int
    runtime: int


def accumulators(graph: Graph) -> tuple[Accumulator, ...]:
    """Of every convolution and dense layer with integer inputs and constant integer weights."""
    return tuple(_found(graph))


def _found(graph: Graph) -> Iterator[Accumulator]:
    for op in graph.ops:
        if op.name not in CHANNEL_AXIS or len(op.inputs) < 2:
            continue
        entry, weights = (graph.tensors[index] for index in op.inputs[:2])
        known = entry.quantization is not None and weights.quantization is not None
        if known and weights.data is not None and {entry.dtype, weights.dtype} <= set(_BITS):
            yield _accumulator(graph, op, entry, weights)


def _accumulator(graph: Graph, op: Op, entry: Tensor, weights: Tensor) -> Accumulator:
    rows = _rows(op, weights)
    bias = graph.tensors[op.inputs[2]] if len(op.inputs) > 2 and op.inputs[2] >= 0 else None
    added = np.zeros(len(rows), np.int64)
    if bias is not None and bias.data is not None:
        added = bias.data.reshape(-1).astype(np.int64)
    low, high = _bounds(rows, entry, added)
    terms = max(1, rows.shape[1])
    return Accumulator(
        op.index,
        graph.tensors[op.outputs[0]].name,
        _BITS[entry.dtype] + _BITS[weights.dtype] + (terms - 1).bit_length(),
        max(_signed_bits(low), _signed_bits(high)),
        64 if bias is not None and bias.dtype == "int64" else 32,
    )


def _rows(op: Op, weights: Tensor) -> NDArray[np.int64]:
    """Weights less their zero points, int64 [output channels, terms of a sum]."""
    assert weights.data is not None
    assert weights.quantization is not None
    axis, zero = CHANNEL_AXIS[op.name], weights.quantization.zero_point
    values = np.moveaxis(weights.data.astype(np.int64), axis, 0)
    rows = values.reshape(len(values), -1)
    return np.asarray(rows - (zero[:, None] if len(zero) == len(rows) else zero[0]), np.int64)


def _bounds(rows: NDArray[np.int64], entry: Tensor, bias: NDArray[np.int64]) -> tuple[int, int]:
    """The smallest and the largest sum on the way, over all channels."""
    assert entry.quantization is not None
    zero = int(entry.quantization.zero_point[0])
    least, most = (limit - zero for limit in limits(entry.dtype))
    # zero is among the inputs: terms that would help the other way can always be nothing
    up = np.maximum(rows * least, rows * most).sum(axis=1) + np.maximum(bias, 0)
    down = np.minimum(rows * least, rows * most).sum(axis=1) + np.minimum(bias, 0)
    return int(down.min(initial=0)), int(up.max(initial=0))


def _signed_bits(value: int) -> int:
    """Bits of two's complement that hold `value`."""
    return (value if value >= 0 else ~value).bit_length() + 1
