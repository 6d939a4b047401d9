"""Constant inputs of a convolution, folded into its bias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.channel_constants import Constants, Mask
from edgekit.compiler.kernels.common.windows import Window
from edgekit.compiler.kernels.conv_2d.border import Border
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.program import Layer, Program
from edgekit.compiler.requantize import wrap32


def fold(program: Program, constants: Constants, keep: Sequence[Mask], layer: Layer) -> Conv2D:
    """The convolution of a layer on the channels that are kept.

    Args:
        program: The layer's.
        constants: What the channels that are not kept hold, where the layer has weights for them.
        keep: For each value, by number, bool [channels].
        layer: A convolution.
    """
    operation, source = layer.operation, layer.inputs[0]
    assert isinstance(operation, Conv2D)
    taken = operation.take_outputs(np.flatnonzero(keep[layer.output]))
    folded = ~keep[source] & ~constants.varies[source]
    smaller = taken.take_inputs(keep[source])
    if not folded.any():
        return smaller
    sums = sums_of(taken, constants.of(source), folded)
    return _add(smaller, sums, program.values[layer.output].shape)


def sums_of(operation: Conv2D, value: NDArray[np.int64], folded: Mask) -> NDArray[np.int64]:
    """What constant channels add to the sums of a convolution, int64 [pixels, outputs]."""
    matrix = operation.matrix
    image = np.where(folded, value, matrix.zero_in)
    seen = operation.window.columns(image, matrix.zero_in) - matrix.zero_in
    return np.asarray(seen @ matrix.weights.astype(np.int64).T)


def _add(operation: Conv2D, sums: NDArray[np.int64], shape: tuple[int, ...]) -> Conv2D:
    """The operation with something added to its sums.

    Args:
        operation: Its bias is the same for all pixels.
        sums: int64 [pixels, outputs].
        shape: Of the output, before channels were dropped.
    """
    window, matrix = _square(operation.window, shape), operation.matrix
    sums = sums.reshape(window.out_height, window.out_width, -1)
    rows, row_class = _alike(sums)
    places, place_class = _alike(sums.transpose(1, 0, 2))
    bias = wrap32(matrix.bias.astype(np.int64) + sums[rows][:, places]).astype(np.int32)
    if bias.shape[:2] == (1, 1):
        return replace(operation, matrix=replace(matrix, bias=bias[0, 0]))
    border = Border(row_class, place_class, len(places))
    matrix = replace(matrix, bias=bias.reshape(-1, matrix.channels))
    return replace(operation, window=window, matrix=matrix, border=border)


def _square(window: Window, shape: tuple[int, ...]) -> Window:
    """A window of one row of pixels as the picture that it was."""
    if len(shape) != 4 or window.flat() != window or window.out_height > 1 or shape[1] == 1:
        return window
    height, width = shape[1:3]
    if height * width != window.pixels or window.pixels != window.width:
        return window
    return replace(window, height=height, width=width, out_height=height, out_width=width)


def _alike(lines: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A line of each class, and the class of each line, in the order of appearance."""
    flat = lines.reshape(len(lines), -1)
    _, first, inverse = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.argsort(order)
    return first[order], rank[inverse.ravel()]
