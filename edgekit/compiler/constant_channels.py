"""Channels that are constant vanish, and those that nothing uses, without changing an output bit.

An output channel whose weights are all zero has the same value whatever the input is; so has all
that depends on it alone. The sums that it adds to later convolutions go into their biases, one
bias a class of pixels where padding makes sums at the border differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgekit.compiler.channel_constants import Constants, Mask, channels_of
from edgekit.compiler.channel_needs import folds, needed_channels
from edgekit.compiler.fold_constants import fold
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.kernels.depthwise_conv_2d.depthwise_conv_2d import DepthwiseConv2D
from edgekit.compiler.operation import Channelwise, Operation
from edgekit.compiler.program import Layer, Program

_MACS_A_BYTE = 100
"""What a byte of flash is worth in work: about the ratio of both in MLPerf Tiny's KWS model."""
_BYTES_A_CHANNEL = 7
"""Bias, factor and shift."""
_BORDER_CODE = 250
"""Of `ek_conv_2d_biases`, once in a program."""
_NEVER = 1 << 40


@dataclass(frozen=True)
class ChannelSaving:
    """What dropping channels came to.

    Attributes:
        channels: Outputs of convolutions and dense layers, summed, before.
        removed: How many of them went.
        weights: Of convolutions and dense layers, before.
        weights_left: After.
        macs: Multiply-accumulates before.
        macs_left: After.
        border_bytes: Of biases that differ from pixel to pixel.
    """

    channels: int
    removed: int
    weights: int
    weights_left: int
    macs: int
    macs_left: int
    border_bytes: int


def drop_channels(program: Program) -> tuple[Program, ChannelSaving]:
    """The program without its constant and unused channels, where that saves bytes and work."""
    constants = Constants(program)
    best, plain = _without(program, constants, frozenset()), frozenset[int]()
    for place in _with_border(best):
        changed = _without(program, constants, plain | {place})
        if _cost(changed) < _cost(best):
            best, plain = changed, plain | {place}
    nowhere = _without(program, constants, frozenset(range(len(program.layers))))
    best = min((best, nowhere, program), key=_cost)
    return best, _saving(program, best)


def _without(program: Program, constants: Constants, plain: frozenset[int]) -> Program:
    keep = needed_channels(program, constants, plain)
    if all(mask.all() for mask in keep):
        return program
    values = tuple(
        replace(value, shape=(*value.shape[:-1], int(mask.sum()))) if value.shape else value
        for value, mask in zip(program.values, keep, strict=True)
    )
    layers = tuple(
        replace(layer, operation=_smaller(program, constants, keep, layer))
        for layer in program.layers
    )
    return replace(program, values=values, layers=layers)


def _smaller(
    program: Program, constants: Constants, keep: tuple[Mask, ...], layer: Layer
) -> Operation:
    operation = layer.operation
    if all(keep[value].all() for value in (*layer.inputs, layer.output)):
        return operation
    if folds(layer, channels_of(program, layer.inputs[0])):
        return fold(program, constants, keep, layer)
    assert isinstance(operation, Channelwise)
    return operation.take(keep[layer.inputs[0]])


def _with_border(program: Program) -> list[int]:
    """Places of layers with biases for classes of pixels, those with most bytes first."""
    sizes = {place: _border_bytes(layer) for place, layer in enumerate(program.layers)}
    return sorted((place for place in sizes if sizes[place]), key=lambda place: -sizes[place])


def _border_bytes(layer: Layer) -> int:
    operation = layer.operation
    if not isinstance(operation, Conv2D) or operation.border is None:
        return 0
    if not operation.border.fits():
        return _NEVER
    return operation.border.nbytes + 2 * operation.matrix.bias.size


def _cost(program: Program) -> float:
    """Bytes of constants, with work counted as bytes."""
    work = sum(layer.operation.macs() for layer in program.layers) / _MACS_A_BYTE
    channels = sum(_outputs(layer) for layer in program.layers) * _BYTES_A_CHANNEL
    borders = sum(map(_border_bytes, program.layers))
    code = _BORDER_CODE if borders else 0
    return work + channels + _weights(program) + borders + code


def _outputs(layer: Layer) -> int:
    operation = layer.operation
    if not isinstance(operation, Conv2D | DepthwiseConv2D):
        return 0
    return operation.matrix.channels


def _weights(program: Program) -> int:
    operations = [layer.operation for layer in program.layers]
    return sum(
        each.matrix.weights.size
        for each in operations
        if isinstance(each, Conv2D | DepthwiseConv2D)
    )


def _saving(before: Program, after: Program) -> ChannelSaving:
    channels, left = (sum(map(_outputs, program.layers)) for program in (before, after))
    macs, macs_left = (
        sum(layer.operation.macs() for layer in program.layers) for program in (before, after)
    )
    return ChannelSaving(
        channels,
        channels - left,
        _weights(before),
        _weights(after),
        macs,
        macs_left,
        sum(map(_border_bytes, after.layers)),
    )
