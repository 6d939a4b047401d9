"""DEPTHWISE_CONV_2D: each input channel by itself.

The device twin takes one channel after the other (`mve`: 16, see `lanes`): its picture goes into
working memory (a strip of rows at a time where it is large), with padding around it, and its
outputs take its place. So input and output may share their memory, and the inner loop walks along
neighbouring pixels. `dsp` can hold four channels at a time, whose bytes are neighbours.

Source: tensorflow/lite/kernels/internal/reference/integer_ops/depthwise_conv.h.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.windows import Window, same_padding
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.kernels.depthwise_conv_2d import lanes
from edgekit.compiler.kernels.gemm.matrix import Matrix
from edgekit.compiler.kernels.gemm.matrix_of import matrix_of
from edgekit.compiler.kernels.gemm.one_product import SCALE, OneProduct, one_product
from edgekit.compiler.operation import IN_PLACE, Call, Unsupported
from edgekit.compiler.requantize import INT8_HIGH, INT8_LOW

OPERATORS = ("DEPTHWISE_CONV_2D",)
_STRIP = 2048
"""Working memory in bytes above which a channel is taken in strips."""
_TOGETHER = 4
"""Outputs that the fast loops compute at once."""
_FAST = ("EK_DEPTHWISE_ANY", "EK_DEPTHWISE_3X3", "EK_DEPTHWISE_3X3_BY_2")
_ONE, _WIDE, _EIGHT = 4, 8, 16
"""What the number of a fast loop has besides: one product a sum; four channels, eight outputs at a
time."""
_SPARE = 3
"""Bytes behind the weights that are read with them."""


@dataclass(frozen=True, eq=False)
class DepthwiseConv2D:
    """A convolution that keeps channels apart.

    Attributes:
        window: Where each output looks; its channels are those of the input.
        matrix: Weights [output channels, taps] and the rest.
        shape: Of the output, as the model has it.
        planes: Channels that are held at once, one or four; see `widen`.
        strip: Bytes of working memory above which they are taken in strips.
    """

    window: Window
    matrix: Matrix
    shape: tuple[int, ...]
    planes: int = 1
    strip: int = _STRIP

    @property
    def multiplier(self) -> int:
        """Output channels of each input channel."""
        return self.matrix.channels // self.window.channels

    def macs(self) -> int:
        """Multiply-accumulates, padding included."""
        return self.window.pixels * self.matrix.depth * self.matrix.channels

    def scratch(self, core: Core) -> int:
        """A strip of one channel, 16 bits each, and its taps by pairs."""
        if core.isa == "mve":
            return lanes.strip_of(self.window).nbytes
        layout = self._layout()
        window = layout.window
        taps = window.kernel_height * _up(window.kernel_width, 2) if core.isa == "dsp" else 2
        return (self.planes * layout.rows * layout.pitch + taps) * 2

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """In place, where a channel's outputs are no more than its inputs."""
        window = self.window
        fits = window.out_height <= window.height and window.out_width <= window.width
        return (IN_PLACE,) if self.multiplier == 1 and fits else (None,)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        matrix = self.matrix
        seen = self.window.patches(inputs[0], matrix.zero_in).astype(np.int64) - matrix.zero_in
        seen = seen.reshape(self.window.pixels, matrix.depth, self.window.channels)
        weights = matrix.weights.astype(np.int64)
        weights = weights.reshape(self.window.channels, self.multiplier, matrix.depth)
        sums = np.einsum("ptc,cmt->pcm", seen, weights).reshape(self.window.pixels, -1)
        return matrix.outputs(sums + matrix.bias).astype(np.int8).reshape(self.shape)

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        if core.isa == "mve":
            return lanes.emit(self.window, self.matrix, to)
        layout, matrix = self._layout(), self.matrix
        window = layout.window
        to.use("depthwise_conv_2d/depthwise_conv_2d.h")
        taps = matrix.weights.reshape(-1, self.window.kernel_height, self.window.kernel_width)
        if layout.turned:
            taps = taps.transpose(0, 2, 1)
        fast = self._fast(window, core)
        one = self._one(core) if fast else None
        eight = one is not None and fast == 1 and window.out_width % 8 == 0
        to.define(f"{_FAST[fast]}_{'LONG' if eight else 'ONE'}" if one else _FAST[fast])
        if fast and (matrix.low > INT8_LOW or matrix.high < INT8_HIGH):
            to.define("EK_DEPTHWISE_CLAMP")
        if fast and not matrix.low == matrix.zero_out == -128:
            to.define("EK_DEPTHWISE_SIGNED")
        if self.planes > 1:
            to.define("EK_DEPTHWISE_FOUR")
        if self.multiplier > 1:
            to.define("EK_DEPTHWISE_SPREAD")
        if not layout.whole:
            to.define("EK_DEPTHWISE_STRIPS")
        bias, by = matrix.bias, matrix.by
        narrow = one is None and bool((np.abs(bias.astype(np.int64)) < 1 << 15).all())
        if one:
            bias, taps = one.offset, np.append(taps.ravel(), np.zeros(_SPARE, np.int8))
        kind = fast + _ONE * bool(one) + _WIDE * (self.planes > 1) + _EIGHT * eight
        layer = to.struct(
            "ek_depthwise_conv_2d_t",
            "layer",
            [
                to.array("weights", taps),
                to.array("bias", bias.astype(np.int16) if narrow else bias),
                to.array("multiplier", one.factor if one else by.multiplier),
                "0" if one else to.array("shift", by.shift.astype(np.int8)),
                *layout.steps(matrix.channels),
                *(window.channels, self.multiplier, window.height, window.width),
                *(window.out_height, window.out_width),
                *(window.kernel_height, window.kernel_width),
                *(window.stride_height, window.stride_width),
                *(window.dilation_height, window.dilation_width),
                *(window.pad_top, window.pad_left, layout.rows, layout.pitch),
                *(matrix.zero_in, matrix.zero_out, matrix.low, matrix.high),
                *(16 if narrow else 32, kind),
            ],
        )
        memory = f"{to.output}, (int16_t *)(void *)({to.scratch})"
        return f"ek_depthwise_conv_2d(&{layer}, {to.inputs[0]}, {memory});"

    def sees(self) -> int:
        """Its window's."""
        return self.window.channels

    def take(self, kept: NDArray[np.bool_]) -> DepthwiseConv2D:
        """The same on some of the input's channels."""
        outputs = np.flatnonzero(np.repeat(kept, self.multiplier))
        window = replace(self.window, channels=int(kept.sum()))
        shape = (*self.shape[:-1], len(outputs))
        return replace(self, window=window, matrix=self.matrix.take(outputs), shape=shape)

    def _fast(self, window: Window, core: Core) -> int:
        """Which fast loop can run: 0 none, else the distance of its outputs."""
        square = (window.kernel_height, window.kernel_width, window.dilation_width) == (3, 3, 1)
        shift = self.matrix.by.shift
        rounds = bool((shift < 0).all() and (shift > -22).all())
        if not (square and rounds and self.matrix.widest().max() < 1 << 29):
            return 0
        furthest = 1 if core.isa == "portable" else 2
        return window.stride_width if window.stride_width <= furthest else 0

    def _one(self, core: Core) -> OneProduct | None:
        """One product for each sum, without bias, of inputs that keep their zero point."""
        one = one_product(self.matrix) if core.isa == "dsp" else None
        if one is None:
            return None
        zero = self.matrix.zero_in * self.matrix.weights.astype(np.int64).sum(axis=1)
        offset = one.offset.astype(np.int64) - SCALE * zero
        if np.abs(offset).max() >= 1 << 31:
            return None
        return replace(one, offset=offset.astype(np.int32))

    def wide(self, strip: int) -> DepthwiseConv2D:
        """The same with four channels held at once, if there are so many and lines stay lines."""
        wide = replace(self, planes=4, strip=strip)
        same = wide._layout().turned == self._layout().turned
        return wide if self.window.channels >= 4 and same else self

    def _layout(self) -> _Layout:
        """The longer side of the picture along the inner loop, if the whole of it is held."""
        straight = _Layout.of(self.window, False, self.strip // self.planes)
        turned = _Layout.of(_turned(self.window), True, self.strip // self.planes)
        longer = self.window.out_height > self.window.out_width
        return turned if longer and turned.whole else straight


@dataclass(frozen=True)
class _Layout:
    """How a channel lies in working memory: `rows` lines of `pitch` values."""

    window: Window
    turned: bool
    rows: int
    pitch: int
    whole: bool

    @classmethod
    def of(cls, window: Window, turned: bool, strip: int) -> _Layout:
        seen = (window.out_width - 1) * window.stride_width
        reach = (window.kernel_width - 1) * window.dilation_width + 1
        together = (_up(window.out_width, _TOGETHER) - 1) * window.stride_width
        pitch = max(seen + reach, together + _up(window.kernel_width, 2) + 1)
        pitch = _up(pitch, 2)
        tall = (window.kernel_height - 1) * window.dilation_height + 1
        all_rows = (window.out_height - 1) * window.stride_height + tall
        rows = min(all_rows, max(strip // (2 * pitch), tall))
        return cls(window, turned, rows, pitch, rows == all_rows)

    def steps(self, out_channels: int) -> tuple[int, int, int, int]:
        """Bytes between neighbours: input along and across, output along and across."""
        channels, window = self.window.channels, self.window
        if self.turned:
            return (
                window.height * channels,
                channels,
                window.out_height * out_channels,
                out_channels,
            )
        return channels, window.width * channels, out_channels, window.out_width * out_channels


def _turned(window: Window) -> Window:
    return replace(
        window,
        height=window.width,
        width=window.height,
        out_height=window.out_width,
        out_width=window.out_height,
        kernel_height=window.kernel_width,
        kernel_width=window.kernel_height,
        stride_height=window.stride_width,
        stride_width=window.stride_height,
        dilation_height=window.dilation_width,
        dilation_width=window.dilation_height,
        pad_top=window.pad_left,
        pad_left=window.pad_top,
    )


def lower(call: Call) -> DepthwiseConv2D | Conv2D:
    """The operation of a DEPTHWISE_CONV_2D: of one channel, it is a convolution as any other."""
    call.int8(call.input(0), call.output)
    weights = call.constant(1)
    if call.input(1).dtype != "int8":
        raise Unsupported(f"its weights are {call.input(1).dtype}, not int8")
    batch, height, width, channels = call.input(0).shape
    if batch != 1:
        raise Unsupported(f"a batch of {batch}")
    _, kernel_height, kernel_width, out_channels = weights.shape
    if out_channels % channels:
        raise Unsupported(f"{out_channels} outputs of {channels} channels")
    window = same_padding(call, (height, width, channels), (kernel_height, kernel_width))
    flat = weights.reshape(-1, out_channels).T
    matrix = matrix_of(call, np.ascontiguousarray(flat))
    kind = Conv2D if channels == 1 < out_channels else DepthwiseConv2D
    return kind(window, matrix, call.output.shape)


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
