"""AVERAGE_POOL_2D and MAX_POOL_2D.

Source: tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h; micro/kernels/pooling.cc.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.windows import Window, same_padding
from edgekit.compiler.operation import Call, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import activation_range

OPERATORS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")


@dataclass(frozen=True)
class Pool2D:
    """The mean or the maximum of each window, int8.

    Attributes:
        window: Where each output looks.
        average: The mean, else the maximum.
        low: Least output.
        high: Greatest output.
    """

    window: Window
    average: bool
    low: int
    high: int

    def macs(self) -> int:
        """None: additions are not counted."""
        return 0

    def scratch(self, core: Core) -> int:
        """None."""
        return 0

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """An output follows what it reads: of a pixel, its own channel last."""
        return (self.window.overlap(self.window.channels, 1),)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        window = self.window
        if self.average:
            sums = window.patches(inputs[0].astype(np.int64), 0).sum(axis=(2, 3))
            out = _divide(sums, window.counts()[:, :, None])
        else:
            out = window.patches(inputs[0], -128).max(axis=(2, 3)).astype(np.int64)
        return np.clip(out, self.low, self.high).astype(np.int8)[None]

    def sees(self) -> int:
        """Its window's."""
        return self.window.channels

    def take(self, kept: NDArray[np.bool_]) -> Pool2D:
        """The same on some of the channels."""
        return replace(self, window=replace(self.window, channels=int(kept.sum())))

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        kind = "average" if self.average else "max"
        to.define(f"EK_POOL_{kind.upper()}")
        to.use("pool_2d/pool_2d.h")
        window = self.window
        fields = [
            *(window.height, window.width, window.channels),
            *(window.out_height, window.out_width),
            *(window.kernel_height, window.kernel_width),
            *(window.pad_top, window.pad_left),
            *(window.stride_height, window.stride_width),
            *(self.low, self.high),
        ]
        layer = to.struct("ek_pool_2d_t", "layer", fields)
        return f"ek_pool_2d(&{layer}, ek_pool_{kind}, {to.inputs[0]}, {to.output});"


def _divide(sums: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """To nearest, halves away from zero."""
    return np.asarray(np.sign(sums) * ((np.abs(sums) + counts // 2) // counts))


def lower(call: Call) -> Pool2D:
    """The operation of an AVERAGE_POOL_2D or MAX_POOL_2D."""
    source, out = call.input(0), call.output
    call.int8(source, out)
    batch, height, width, channels = source.shape
    if batch != 1:
        raise Unsupported(f"a batch of {batch}")
    if abs(scale_of(source) - scale_of(out)) > 1e-6 or zero_of(source) != zero_of(out):
        raise Unsupported("its output has another scale than its input")
    kernel = int(call.option("filter_height", 1)), int(call.option("filter_width", 1))
    if min(kernel) < 1:
        raise Unsupported(f"a window of {kernel[0]} x {kernel[1]}")
    try:
        low, high = activation_range(call.activation(), scale_of(out), zero_of(out))
    except ValueError as error:
        raise Unsupported(f"the fused activation {error}") from None
    window = same_padding(call, (height, width, channels), kernel)
    return Pool2D(window, call.op.name == "AVERAGE_POOL_2D", low, high)
