"""TRANSPOSE_CONV: a convolution that makes images larger.

Source: tensorflow/lite/kernels/internal/reference/integer_ops/transpose_conv.h;
micro/kernels/transpose_conv.cc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.element_wise import Plain, output_range
from edgekit.compiler.kernels.common.memory import nearest
from edgekit.compiler.operation import Call, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import Multipliers, multipliers, multiply

OPERATORS = ("TRANSPOSE_CONV",)
_WEIGHTS, _INPUT, _BIAS = 1, 2, 3
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class TransposeConv(Plain):
    """Each input adds its kernel to the outputs around its place.

    Attributes:
        size: Height and width of the input.
        out: The same of the output.
        weights: int8 [output channels, kernel height, kernel width, input channels].
        bias: int32 [output channels].
        by: A factor for each channel.
        stride: Output rows and columns from one input to the next.
        pad: Rows above and columns left of the output that are cut off.
        zeros: Zero points of input and output.
        limits: Least and greatest output.
    """

    size: Pair
    out: Pair
    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    by: Multipliers
    stride: Pair
    pad: Pair
    zeros: Pair
    limits: Pair

    def macs(self) -> int:
        """Of all taps, those that are cut off included."""
        return math.prod(self.size) * self.weights.size

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """By rows: a row of outputs needs no input above its last tap."""
        last = np.arange(self.out[0]) + self.pad[0] - self.weights.shape[1] + 1
        first = np.clip(-(-last // self.stride[0]), 0, self.size[0])
        row, out_row = self.size[1] * self.weights.shape[3], self.out[1] * len(self.weights)
        written = np.arange(1, self.out[0] + 1) * out_row
        return (nearest(written, first * row, during=True),)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        channels, height, width, depth = self.weights.shape
        values = inputs[0].reshape(*self.size, depth).astype(np.int64) - self.zeros[0]
        taps = np.einsum("yxc,ohwc->yxhwo", values, self.weights.astype(np.int64))
        reach = [
            max(size * step + taps, out + pad)
            for size, step, taps, out, pad in zip(
                self.size, self.stride, (height, width), self.out, self.pad, strict=True
            )
        ]
        whole = np.zeros((*reach, channels), np.int64)
        rows, columns = (
            slice(0, size * step, step) for size, step in zip(self.size, self.stride, strict=True)
        )
        for y in range(height):
            for x in range(width):
                whole[y:, x:][rows, columns] += taps[:, :, y, x]
        (top, left), (tall, wide) = self.pad, self.out
        sums = multiply(whole[top : top + tall, left : left + wide] + self.bias, self.by)
        return np.clip(sums + self.zeros[1], *self.limits).astype(np.int8)[None]

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.use("transpose_conv/transpose_conv.h")
        channels, height, width, depth = self.weights.shape
        arrays = [
            to.array("weights", self.weights),
            to.array("bias", self.bias),
            to.array("multiplier", self.by.multiplier),
            to.array("shift", self.by.shift.astype(np.int8)),
        ]
        sizes = [*self.size, depth, *self.out, channels, height, width, *self.pad, *self.zeros]
        fields = [*arrays, *sizes, *self.stride, *self.limits]
        layer = to.struct("ek_transpose_conv_t", "layer", fields)
        return f"ek_transpose_conv(&{layer}, {to.inputs[0]}, {to.output});"


def lower(call: Call) -> TransposeConv:
    """The operation of a TRANSPOSE_CONV."""
    source, kernel, out = call.input(_INPUT), call.input(_WEIGHTS), call.output
    call.int8(source, out)
    call.integers(0)  # the output's shape, which the file has, too
    weights = call.constant(_WEIGHTS)
    if kernel.dtype != "int8" or kernel.quantization is None:
        raise Unsupported(f"its weights are {kernel.dtype}, not int8")
    if np.any(kernel.quantization.zero_point != 0):
        raise Unsupported("its weights have a zero point")
    if source.shape[0] != 1:
        raise Unsupported(f"a batch of {source.shape[0]}")
    if weights.shape[3] != source.shape[3] or len(weights) != out.shape[3]:
        raise Unsupported(f"weights of {weights.shape}")
    scales = kernel.quantization.scale.astype(np.float64)
    factors = scale_of(source) * scales / scale_of(out)
    stride = int(call.option("stride_h", 1)), int(call.option("stride_w", 1))
    if not all(0 < step < 256 for step in stride):
        raise Unsupported(f"a stride of {stride}")
    return TransposeConv(
        (source.shape[1], source.shape[2]),
        (out.shape[1], out.shape[2]),
        weights,
        call.bias(_BIAS, len(weights)),
        multipliers(np.broadcast_to(factors, (len(weights),))),
        stride,
        _pads(call, stride, weights.shape[1:3]),
        (zero_of(source), zero_of(out)),
        output_range(call),
    )


def _pads(call: Call, stride: Pair, kernel: tuple[int, ...]) -> Pair:
    """Those of the convolution from the output back to the input."""
    if call.option("padding", "SAME") != "SAME":
        return 0, 0
    pads = [
        max((-(-size // step) - 1) * step + taps - size, 0) // 2
        for size, step, taps in zip(call.output.shape[1:3], stride, kernel, strict=True)
    ]
    return pads[0], pads[1]
