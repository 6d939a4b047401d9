"""Which channels of each value must stay: the least set with which every layer can do its work.

Backwards from the outputs of the model: a convolution needs the channels that vary and that it has
weights for; constant ones go into its bias. Operations that keep channels apart need of their
inputs what is needed of their output, and must be given the same channels of everything. All other
operations need all channels and make all channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgekit.compiler.channel_constants import (
    Constants,
    Mask,
    channels_of,
    outputs_of_a_channel,
    used_channels,
)
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.program import Layer, Program


def needed_channels(
    program: Program,
    constants: Constants,
    plain: frozenset[int],
    given: Sequence[Mask] = (),
) -> tuple[Mask, ...]:
    """For each value, by number, bool [channels].

    Args:
        program: Before any addition was fused.
        constants: Its constant channels.
        plain: Places of layers whose bias must stay the same for all pixels: what is constant
            but would come to different sums at the border stays.
        given: For each value, by number, channels that stay for another reason.
    """
    keep = [np.zeros(channels_of(program, value), bool) for value in range(len(program.values))]
    for mask, others in zip(keep, given, strict=False):
        mask |= others
    for value in (*program.inputs, *program.outputs):
        keep[value][:] = True
    folds = [
        _foldable(constants, layer, place in plain) for place, layer in enumerate(program.layers)
    ]
    _spread(program, keep, folds)
    for mask in keep:
        if not mask.any():  # no tensor without channels
            mask[:1] = True
            _spread(program, keep, folds)
    return tuple(keep)


def _spread(program: Program, keep: list[Mask], folds: list[Mask | None]) -> None:
    """Until no layer needs more."""
    before = -1
    while before != (before := sum(int(mask.sum()) for mask in keep)):
        for layer, foldable in zip(reversed(program.layers), reversed(folds), strict=True):
            _need(program, layer, keep, foldable)


def uneven_channels(constants: Constants, layer: Layer) -> Mask:
    """Constant channels of a convolution's input that differ from one of its pixels to another.

    Returns:
        bool [channels of the value]; meaningless for channels that vary.
    """
    operation = layer.operation
    assert isinstance(operation, Conv2D)
    value = constants.of(layer.inputs[0])
    seen = operation.window.columns(value, operation.matrix.zero_in)
    seen = seen.reshape(operation.window.pixels, -1, value.shape[1])
    return np.asarray((seen != seen[:1]).any(axis=(0, 1)))


def folds(layer: Layer, channels: int) -> bool:
    """Whether a layer is a convolution that sees the channels of the value that it reads."""
    operation = layer.operation
    return (
        isinstance(operation, Conv2D)
        and operation.add is None
        and operation.window.channels % channels == 0
    )


def _foldable(constants: Constants, layer: Layer, plain: bool) -> Mask | None:
    """The channels of its input that a layer can take into its bias; None: it is no convolution."""
    varies = constants.varies[layer.inputs[0]] if layer.inputs else np.ones(1, bool)
    if not folds(layer, len(varies)):
        return None
    if not plain or varies.all():
        return np.asarray(~varies)
    return np.asarray(~varies & ~uneven_channels(constants, layer))


def _need(program: Program, layer: Layer, keep: list[Mask], foldable: Mask | None) -> None:
    operation, out = layer.operation, keep[layer.output]
    if foldable is not None:
        assert isinstance(operation, Conv2D)
        used = used_channels(operation, len(foldable))
        keep[layer.inputs[0]] |= used[out].any(axis=0) & ~foldable
        return
    many = outputs_of_a_channel(program, layer)
    if many:
        needed = out.reshape(-1, many).any(axis=1)
        needed = np.logical_or.reduce([needed, *(keep[value] for value in layer.inputs)])
        for value in layer.inputs:
            keep[value] |= needed
        out |= np.repeat(needed, many)
        return
    for value in (*layer.inputs, layer.output):
        keep[value][:] = True
