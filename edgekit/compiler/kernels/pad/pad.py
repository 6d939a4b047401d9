"""PAD and PADV2 of int8 with constant sizes.

Source: tensorflow/lite/kernels/internal/reference/pad.h; micro/kernels/pad_common.cc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.element_wise import Plain, braces
from edgekit.compiler.operation import Call, Unsupported, zero_of

OPERATORS = ("PAD", "PADV2")
_AXES = 4


@dataclass(frozen=True)
class Pad(Plain):
    """A tensor with a border of one value.

    Attributes:
        shape: Of the input.
        pads: Elements before and after, for each axis.
        value: int8, of the border.
    """

    shape: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    value: int

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """All border before the last row of the input comes between it and its place."""
        shape, pads = merged(self.shape, self.pads)
        out = [size + sum(pad) for size, pad in zip(shape, pads, strict=True)]
        places = [before + size - 1 for size, (before, _) in zip(shape, pads, strict=True)]
        places[-1] = pads[-1][0]
        return (int(np.ravel_multi_index(places, out)) - math.prod(shape) + shape[-1],)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        return np.pad(inputs[0].reshape(self.shape), self.pads, constant_values=self.value)

    def sees(self) -> int:
        """Those of its shape; -1, never any, where it pads channels."""
        return self.shape[-1] if self.pads[-1] == (0, 0) else -1

    def take(self, kept: NDArray[np.bool_]) -> Pad:
        """The same on some of the channels."""
        return replace(self, shape=(*self.shape[:-1], int(kept.sum())))

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.use("pad/pad.h")
        shape, pads = merged(self.shape, self.pads)
        out = [size + sum(pad) for size, pad in zip(shape, pads, strict=True)]
        fields = [braces(shape), braces(out), braces([pad[0] for pad in pads]), self.value]
        return f"ek_pad(&{to.struct('ek_pad_t', 'layer', fields)}, {to.inputs[0]}, {to.output});"


def merged(
    shape: tuple[int, ...], pads: tuple[tuple[int, int], ...]
) -> tuple[list[int], list[tuple[int, int]]]:
    """The same padding on four axes, where those without a border go with the one before.

    Raises:
        Unsupported: There are more.
    """
    sizes: list[int] = []
    borders: list[tuple[int, int]] = []
    for size, pad in zip(shape, pads, strict=True):
        if sizes and pad == (0, 0):
            sizes[-1] *= size
            borders[-1] = borders[-1][0] * size, borders[-1][1] * size
        elif size != 1 or pad != (0, 0):
            sizes.append(size)
            borders.append(pad)
    missing = _AXES - len(sizes)
    if missing < 0:
        raise Unsupported(f"{len(sizes)} axes with a border")
    return [1] * missing + sizes, [(0, 0)] * missing + borders


def lower(call: Call) -> Pad:
    """The operation of a PAD or PADV2."""
    source = call.input(0)
    call.int8(source, call.output)
    table = np.array(call.integers(1)).reshape(-1, 2)
    if len(table) != len(source.shape) or np.any(table < 0):
        raise Unsupported(f"the padding {table.tolist()}")
    pads = tuple((int(before), int(after)) for before, after in table)
    value = zero_of(call.output)
    if call.has(2):
        call.int8(call.input(2))
        value = int(call.constant(2).ravel()[0])
    shape = tuple(size + sum(pad) for size, pad in zip(source.shape, pads, strict=True))
    if shape != tuple(call.output.shape):
        raise Unsupported(f"its output is {call.output.shape}, where {shape} was expected")
    pad = Pad(source.shape, pads, value)
    merged(pad.shape, pad.pads)
    return pad
