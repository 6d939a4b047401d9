"""Units that change nothing in a float network: always zero where they are read, or never read.

A filter whose weights are all zero gives what its bias and activation make of zero; where that is
zero, too, it passes operators that make zero of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.weights import KINDS, bias_of, has_weights
from edgekit.graph.graph import Op
from edgekit.structure.dependencies import Dependencies
from edgekit.structure.units import Mask

Zeros = dict[int, Mask]
_OF_ONE = (
    *("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LEAKY_RELU", "ELU", "GELU", "HARD_SWISH"),
    *("TANH", "ABS", "NEG", "SQRT", "SQUARE", "SIN", "FLOOR", "CEIL", "ROUND", "SIGN", "PRELU"),
    *("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D", "RESIZE_BILINEAR", "RESHAPE", "SQUEEZE"),
    *("RESIZE_NEAREST_NEIGHBOR", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "EXPAND_DIMS"),
    *("TRANSPOSE", "PAD", "MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "STRIDED_SLICE"),
)
_OF_ALL = ("ADD", "SUB", "MAXIMUM", "MINIMUM")
_ACTIVE: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "NONE": lambda x: x,
    "RELU": lambda x: np.maximum(x, 0),
    "RELU6": lambda x: np.clip(x, 0, 6),
    "RELU_N1_TO_1": lambda x: np.clip(x, -1, 1),
    "TANH": np.tanh,
}


def dead(known: Dependencies) -> Mask:
    """The units that stay when all leave that change nothing, bool [units].

    What only dead units read is dead. A layer keeps one unit: no tensor is without channels.
    """
    keep, zeros = np.ones(known.count, bool), _zeros(known)
    while True:
        useful = ~known.free
        for site in known.made("columns"):
            op = known.graph.ops[site.op]
            kind = KINDS[op.name]
            kernel = np.asarray(known.graph.tensors[op.inputs[kind.kernel]].data)
            read = np.compress(keep[known.places[op.outputs[0]].units], kernel, kind.channel)
            heard = (read != 0).any(axis=_but(site.axis, kernel.ndim))
            silent = zeros.get(op.inputs[kind.x], ~keep & False)[site.units]
            useful[site.units[heard & ~silent]] = True
        for site in known.made("rows"):
            useful[site.units[0]] |= not useful[site.units].any()
        if (useful | ~keep).all():
            return keep
        keep &= useful


def _but(axis: int, rank: int) -> tuple[int, ...]:
    return tuple(each for each in range(rank) if each != axis)


def _zeros(known: Dependencies) -> Zeros:
    """Tensor index -> which units are zero in it, whatever the input is."""
    found: Zeros = {}
    for op in known.graph.ops:
        if not op.outputs or op.outputs[0] not in known.places:
            continue
        if op.name in KINDS and has_weights(known.graph, op):
            zero = _weighted(known, op, found)
        else:
            zero = _passed(known, op, found)
        found |= dict.fromkeys(op.outputs, zero)
    return found


def _passed(known: Dependencies, op: Op, found: Mapping[int, Mask]) -> Mask:
    none = np.zeros(known.count, bool)
    inputs = [found.get(index, none) for index in op.inputs if index >= 0]
    if op.name in _OF_ONE:
        return inputs[0]
    if op.name in _OF_ALL:
        return np.asarray(np.logical_and.reduce(inputs))
    return np.asarray(np.logical_or.reduce(inputs)) if op.name == "MUL" else none


def _weighted(known: Dependencies, op: Op, found: Mapping[int, Mask]) -> Mask:
    """Of a layer: units whose weights for what is not zero are zero, and whose bias gives zero."""
    kind, units = KINDS[op.name], known.places[op.outputs[0]].units
    kernel = np.array(known.graph.tensors[op.inputs[kind.kernel]].data)
    silent = found.get(op.inputs[kind.x], np.zeros(known.count, bool))
    for site in known.sites:
        if site.op == op.index and site.place == kind.kernel and site.role != "rows":
            np.moveaxis(kernel, site.axis, 0)[silent[site.units]] = 0
    mute = ~(kernel != 0).any(axis=_but(kind.channel, kernel.ndim))
    if bias_of(op) >= 0:
        active = _ACTIVE.get(str(op.options.get("fused_activation_function")), np.ones_like)
        bias = np.asarray(known.graph.tensors[bias_of(op)].data, np.float32)
        mute &= active(bias) == 0
    heard = np.zeros(known.count, bool)
    heard[units[~mute]] = True
    zero = np.zeros(known.count, bool)
    zero[units] = True
    return zero & ~heard
