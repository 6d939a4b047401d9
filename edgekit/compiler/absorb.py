"""Layers that vanish into a neighbour: padding into windows, limits into activations.

Both before channels are dropped and additions are fused, on the program as it was lowered.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgekit.compiler.kernels.add.add import Add
from edgekit.compiler.kernels.common.windows import Window
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.kernels.depthwise_conv_2d.depthwise_conv_2d import DepthwiseConv2D
from edgekit.compiler.kernels.pad.pad import Pad
from edgekit.compiler.kernels.pool_2d.pool_2d import Pool2D
from edgekit.compiler.kernels.table.table import Table
from edgekit.compiler.operation import Operation
from edgekit.compiler.program import Layer, Program


def absorb(program: Program) -> Program:
    """The program without layers that a neighbour can do besides."""
    return absorb_limits(absorb_padding(program))


def absorb_padding(program: Program) -> Program:
    """A PAD of rows and columns becomes padding of the convolution or maximum that reads it."""
    pads = {layer.output: layer for layer in program.layers if isinstance(layer.operation, Pad)}
    layers = [_padded(pads, layer) for layer in program.layers]
    read = {value for layer in layers for value in layer.inputs} | set(program.outputs)
    return program.with_layers(
        [layer for layer in layers if layer.output not in pads or layer.output in read]
    )


def _padded(pads: dict[int, Layer], layer: Layer) -> Layer:
    before = pads.get(layer.inputs[0]) if len(layer.inputs) == 1 else None
    if before is None or not isinstance(layer.operation, Conv2D | DepthwiseConv2D | Pool2D):
        return layer
    assert isinstance(before.operation, Pad)
    window = _wider(layer.operation.window, before.operation)
    if window is None or before.operation.value != _border_of(layer.operation):
        return layer
    operation: Operation = replace(layer.operation, window=window)
    fused = (before.kind, *before.fused, *layer.fused)
    return replace(layer, operation=operation, inputs=before.inputs, fused=fused)


def _border_of(operation: Conv2D | DepthwiseConv2D | Pool2D) -> int | None:
    """What a window sees outside of the picture; of a mean that is nothing."""
    if isinstance(operation, Pool2D):
        return None if operation.average else -128
    return operation.matrix.zero_in


def _wider(window: Window, pad: Pad) -> Window | None:
    sizes = list(zip(pad.shape, pad.pads, strict=True))
    if len(sizes) == 3:  # a sequence, which convolutions see as one row or as one column
        sizes.insert(1 if window.height == 1 else 2, (1, (0, 0)))
    if len(sizes) != 4 or pad.pads[0] != (0, 0) or pad.pads[-1] != (0, 0):
        return None
    _, (height, (top, bottom)), (width, (left, right)), (channels, _) = sizes
    seen = height + top + bottom, width + left + right, channels
    if (window.height, window.width, window.channels) != seen:
        return None
    return replace(
        window,
        height=height,
        width=width,
        pad_top=window.pad_top + top,
        pad_left=window.pad_left + left,
    )


def absorb_limits(program: Program) -> Program:
    """A RELU that only limits what the layer before it makes becomes its activation."""
    layers = list(program.layers)
    for layer in program.layers:
        limits = _limits(layer.operation)
        before = next((each for each in layers if each.output in layer.inputs), None)
        if limits is None or before is None or not program.alone(before.output):
            continue
        if program.values[before.output].shape != program.values[layer.output].shape:
            continue
        limited = _limited(before.operation, *limits)
        if limited is not None:
            fused = (*before.fused, layer.kind)
            place = layers.index(before)
            layers[place] = replace(before, operation=limited, output=layer.output, fused=fused)
            layers.remove(layer)
    return program.with_layers(layers)


def _limits(operation: Operation) -> tuple[int, int] | None:
    if not isinstance(operation, Table) or not operation.signed:
        return None
    values = operation.values.view(np.int8)
    low, high = int(values.min()), int(values.max())
    arguments = np.arange(256).astype(np.uint8).view(np.int8)
    return (low, high) if np.array_equal(values, np.clip(arguments, low, high)) else None


def _limited(operation: Operation, low: int, high: int) -> Operation | None:
    if isinstance(operation, Conv2D | DepthwiseConv2D) and getattr(operation, "add", None) is None:
        matrix = operation.matrix
        limits = _both(matrix.low, matrix.high, low, high)
        return replace(operation, matrix=replace(matrix, low=limits[0], high=limits[1]))
    if isinstance(operation, Add | Pool2D):
        limits = _both(operation.low, operation.high, low, high)
        return replace(operation, low=limits[0], high=limits[1])
    return None


def _both(inner_low: int, inner_high: int, low: int, high: int) -> tuple[int, int]:
    """One range that limits like two, one after the other."""
    return min(max(inner_low, low), high), min(max(inner_high, low), high)
