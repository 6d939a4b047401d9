"""What an exit computes: separable convolutions, means over cells, dense layers, a softmax."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.heads import head_of
from edgekit.graph import rewire
from edgekit.graph.graph import Graph
from edgekit.structure.adding import Adding

Array = NDArray[Any]
RELU, SAME, VALID = 1, 0, 1
"""Of schema.fbs, ActivationFunctionType and Padding."""
STRIDE = 2
_SMALLEST = 4
"""Cells along a side from which a convolution may halve them."""


@dataclass(frozen=True, eq=False)
class Dense:
    """A dense layer: kernel [outputs, inputs] and bias [outputs]."""

    kernel: Array
    bias: Array


@dataclass(frozen=True, eq=False)
class Separable:
    """A 3x3 depthwise convolution of stride 2, and one of 1x1 with RELU.

    Attributes:
        depthwise: [1, 3, 3, inputs].
        pointwise: [outputs, 1, 1, inputs].
        bias: [outputs].
    """

    depthwise: Array
    pointwise: Array
    bias: Array


Layer = Dense | Separable


def initial(
    random: np.random.Generator,
    shape: Sequence[int],
    classes: int,
    *,
    convs: int = 0,
    grid: int = 1,
    hidden: int = 0,
    before: int = 0,
) -> list[Layer]:
    """Layers as He et al. 2015 (arXiv:1502.01852) begin them.

    Args:
        random: Draws the weights.
        shape: Of the activation that the exit reads, [1, ..., channels].
        classes: Scores that it gives.
        convs: Separable convolutions, each with twice the channels; fewer where a picture is
            smaller than 4 by 4 cells, none where it is no picture.
        grid: As `add_head` takes it.
        hidden: Units of a dense layer before the scores; 0: none.
        before: Means of earlier exits that it reads, too.
    """
    layers: list[Layer] = []
    inner = shape
    while len(layers) < convs and len(inner) == 4 and min(inner[1:3]) >= _SMALLEST:
        layers.append(_separable(random, inner[-1]))
        inner = behind(inner)
    sizes = [before + means(inner, grid), *([hidden] if hidden else []), classes]
    return [*layers, *(_dense(random, before, after) for before, after in pairwise(sizes))]


def _separable(random: np.random.Generator, channels: int) -> Separable:
    wide = 2 * channels
    return Separable(
        _drawn(random, (1, 3, 3, channels), 9),
        _drawn(random, (wide, 1, 1, channels), channels),
        np.zeros(wide, np.float32),
    )


def _dense(random: np.random.Generator, inputs: int, outputs: int) -> Dense:
    return Dense(_drawn(random, (outputs, inputs), inputs), np.zeros(outputs, np.float32))


def _drawn(random: np.random.Generator, shape: Sequence[int], inputs: int) -> Array:
    return random.normal(0, math.sqrt(2 / inputs), shape).astype(np.float32)


def behind(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of a picture behind a `Separable` with twice its channels."""
    return (1, -(-shape[1] // STRIDE), -(-shape[2] // STRIDE), 2 * shape[-1])


def means(shape: Sequence[int], grid: int) -> int:
    """How many means are taken of an activation [1, ..., channels]."""
    return shape[-1] * (math.prod(_cells(shape, grid)) if len(shape) == 4 else 1)


def _cell(shape: Sequence[int], grid: int) -> tuple[int, int]:
    return -(-shape[1] // grid), -(-shape[2] // grid)


def _cells(shape: Sequence[int], grid: int) -> tuple[int, int]:
    height, width = _cell(shape, grid)
    return shape[1] // height, shape[2] // width


def add_head(
    new: Adding, graph: Graph, source: int, layers: Sequence[Layer], grid: int, before: int = -1
) -> tuple[list[Any], int]:
    """The operators of an exit, the last gives its answer, and the tensor that holds its means.

    The caller puts them in their place.

    Args:
        new: Adds the tensors.
        graph: As it was.
        source: Index of the activation to read.
        layers: Separable ones, then dense ones, RELU between them.
        grid: Cells a picture has along each side, at most; 1: the mean over all of it.
        before: The tensor that holds the means of the exit before, to be read, too; -1: none.
    """
    shape, x, made = graph.tensors[source].shape, source, []
    for number, layer in enumerate(each for each in layers if isinstance(each, Separable)):
        shape = behind(shape)
        made += _convolved(new, x, layer, f"conv{number}", shape)
        x = int(made[-1].outputs[0])
    pooled, x = _pooled(new, x, shape, grid)
    made += pooled
    if before >= 0:
        made.append(_joined(new, x, before))
        x = int(made[-1].outputs[0])
    read = x
    dense = [layer for layer in layers if isinstance(layer, Dense)]
    for number, each in enumerate(dense, start=1):
        last = number == len(dense)
        made.append(_run(new, x, each, "scores" if last else f"hidden{number}", not last))
        x = int(made[-1].outputs[0])
    _, op = head_of(graph, graph.outputs[0])
    if op is not None:
        answer = new.activation("answer", (dense[-1].bias.size,))
        beta = float(op.options.get("beta", 1.0))
        made.append(
            rewire.operator(new.model, "SOFTMAX", (x,), answer, "SoftmaxOptions", beta=beta)
        )
    return made, read


def _convolved(new: Adding, x: int, layer: Separable, name: str, shape: Sequence[int]) -> list[Any]:
    inputs = layer.depthwise.shape[-1]
    inner = new.activation(f"{name}/depthwise", (*shape[1:3], inputs))
    own = new.constant(f"{name}/depthwise/kernel", layer.depthwise)
    none = new.constant(f"{name}/depthwise/bias", np.zeros(inputs, np.float32))
    kernel, bias = (
        new.constant(f"{name}/{part}", values)
        for part, values in (("kernel", layer.pointwise), ("bias", layer.bias))
    )
    outer = new.activation(name, shape[1:])
    steps = {"strideH": STRIDE, "strideW": STRIDE, "padding": SAME, "depthMultiplier": 1}
    point = {"strideH": 1, "strideW": 1, "padding": SAME, "fusedActivationFunction": RELU}
    table = "DepthwiseConv2DOptions"
    return [
        rewire.operator(new.model, "DEPTHWISE_CONV_2D", (x, own, none), inner, table, **steps),
        rewire.operator(
            new.model, "CONV_2D", (inner, kernel, bias), outer, "Conv2DOptions", **point
        ),
    ]


def _pooled(new: Adding, x: int, shape: Sequence[int], grid: int) -> tuple[list[Any], int]:
    """Means of cells side by side, of a sequence the mean; nothing of a vector."""
    if len(shape) == 2:
        return [], x
    if len(shape) == 3:
        where = new.integers("axes", [1])
        mean = new.activation("mean", shape[-1:])
        return [rewire.operator(new.model, "MEAN", (x, where), mean, "ReducerOptions")], mean
    (height, width), cells = _cell(shape, grid), _cells(shape, grid)
    size = {"filterHeight": height, "filterWidth": width}
    steps = {"strideH": height, "strideW": width, "padding": VALID}
    mean = new.activation("mean", (*cells, shape[-1]))
    flat = new.activation("flat", (means(shape, grid),))
    where = new.integers("shape", [-1, means(shape, grid)])
    return [
        rewire.operator(new.model, "AVERAGE_POOL_2D", (x,), mean, "Pool2DOptions", **size, **steps),
        rewire.operator(new.model, "RESHAPE", (mean, where), flat, "ReshapeOptions"),
    ], flat


def _joined(new: Adding, x: int, before: int) -> Any:
    sizes = [int(new.main.tensors[index].shape[-1]) for index in (x, before)]
    both = new.activation("joined", (sum(sizes),))
    return rewire.operator(
        new.model, "CONCATENATION", (x, before), both, "ConcatenationOptions", axis=-1
    )


def _run(new: Adding, x: int, dense: Dense, name: str, relu: bool) -> Any:
    kernel, bias = (
        new.constant(f"{name}/kernel", dense.kernel),
        new.constant(f"{name}/bias", dense.bias),
    )
    return rewire.operator(
        new.model,
        "FULLY_CONNECTED",
        (x, kernel, bias),
        new.activation(name, (dense.bias.size,)),
        "FullyConnectedOptions",
        fusedActivationFunction=RELU if relu else 0,
    )
