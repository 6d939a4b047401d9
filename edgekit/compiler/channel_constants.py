"""Which channels of each value do not depend on the input of the model, and what they hold.

A channel is an index along the last axis. Its value may differ from place to place, where padding
makes the border of a picture differ from its middle, but not from run to run: so one run of the
host twins on any input tells what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.channel_ranges import Ranges, of_matrix
from edgekit.compiler.interpret import run_values
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.kernels.depthwise_conv_2d.depthwise_conv_2d import DepthwiseConv2D
from edgekit.compiler.operation import Channelwise
from edgekit.compiler.program import Layer, Program

Mask = NDArray[np.bool_]


class Constants:
    """The constant channels of a program.

    Attributes:
        varies: For each value, by number: bool [channels], whether the input can change it.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self.varies = [np.ones(channels_of(program, value), bool) for value in _numbers(program)]
        self._ranges = [Ranges.all(len(varies)) for varies in self.varies]
        for layer in program.layers:
            self._ranges[layer.output] = self._bounds(layer)
            self.varies[layer.output] = self._outputs(layer) & ~self._ranges[layer.output].met()
        self._made: dict[int, NDArray[Any]] = {}

    def any(self) -> bool:
        """Whether there is a constant channel at all."""
        return not all(mask.all() for mask in self.varies)

    def of(self, value: int) -> NDArray[np.int64]:
        """What the value holds, int64 [places, channels]; meaningless in channels that vary."""
        if not self._made:
            values = [self._program.values[number] for number in self._program.inputs]
            zeros = [np.zeros(value.shape, value.dtype) for value in values]
            self._made = run_values(self._program, zeros)
        channels = channels_of(self._program, value)
        return self._made[value].reshape(-1, channels).astype(np.int64)

    def _bounds(self, layer: Layer) -> Ranges:
        operation = layer.operation
        inputs = [self._ranges[value] for value in layer.inputs]
        if isinstance(operation, Conv2D) and operation.add is None:
            whole = operation.window.channels % len(inputs[0].low) == 0
            seen = inputs[0] if whole else Ranges.all(1)
            return of_matrix(operation.matrix, seen.tile(operation.matrix.depth))
        together = outputs_of_a_channel(self._program, layer)
        if isinstance(operation, DepthwiseConv2D) and together:
            return of_matrix(operation.matrix, inputs[0].rows(together))
        return self._ranges[layer.output]

    def _outputs(self, layer: Layer) -> Mask:
        operation = layer.operation
        inputs = [self.varies[value] for value in layer.inputs]
        if isinstance(operation, Conv2D):
            used = used_channels(operation, len(inputs[0]))
            return np.asarray((used[:, inputs[0]]).any(axis=1))
        together = outputs_of_a_channel(self._program, layer)
        if not together:
            return self.varies[layer.output]
        varies = np.repeat(np.logical_or.reduce(inputs), together)
        if isinstance(operation, DepthwiseConv2D):
            varies &= operation.matrix.weights.any(axis=1)
        return varies


def channels_of(program: Program, value: int) -> int:
    """Length of the last axis."""
    shape = program.values[value].shape
    return shape[-1] if shape else 1


def used_channels(operation: Conv2D, channels: int) -> Mask:
    """Which outputs have a weight for which channel of the input, bool [outputs, channels].

    Args:
        operation: The reader; it may see several neighbouring pixels as one (a flattened picture).
        channels: Of the value that is read.
    """
    weights = operation.matrix.weights
    if operation.window.channels % channels:
        return np.broadcast_to(weights.any(axis=1)[:, None], (len(weights), channels))
    return np.asarray((weights.reshape(len(weights), -1, channels) != 0).any(axis=1))


def outputs_of_a_channel(program: Program, layer: Layer) -> int:
    """How many outputs a layer makes of each channel, if it keeps channels apart; else 0."""
    operation = layer.operation
    if not isinstance(operation, Channelwise):
        return 0
    counts = {channels_of(program, value) for value in layer.inputs}
    out, sees = channels_of(program, layer.output), operation.sees()
    if len(counts) != 1 or (sees or out) not in counts:
        return 0
    return out // min(counts)


def _numbers(program: Program) -> Sequence[int]:
    return range(len(program.values))
