"""How `mve` takes a depthwise convolution: 16 outputs of a pixel at a time, side by side.

Their inputs go into working memory (a strip of rows at a time), with padding around them. As all
that is read of these channels is there before outputs take their place, input and output may share
their memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.windows import Window
from edgekit.compiler.kernels.gemm.matrix import Matrix

LANES = 16
_STRIP = 1024
"""Working memory in bytes above which pictures are taken in strips."""
_ORDER = np.arange(LANES).reshape(4, 2, 2).transpose(2, 1, 0).ravel()
"""Products come apart into even and odd ones, and so do these: 0, 4, 8, 12, 2, 6, ..."""


@dataclass(frozen=True)
class Strip:
    """What of 16 channels lies in working memory: `rows` lines of `pitch` pixels."""

    rows: int
    pitch: int

    @property
    def nbytes(self) -> int:
        """In working memory."""
        return self.rows * self.pitch * LANES


def strip_of(window: Window) -> Strip:
    """All rows that a picture has with its padding, or as many as are worth their memory."""
    reach = (window.kernel_width - 1) * window.dilation_width + 1
    pitch = (window.out_width - 1) * window.stride_width + reach
    tall = (window.kernel_height - 1) * window.dilation_height + 1
    all_rows = (window.out_height - 1) * window.stride_height + tall
    return Strip(min(all_rows, max(_STRIP // (LANES * pitch), tall)), pitch)


def emit(window: Window, matrix: Matrix, to: Emission) -> str:
    """One call.

    Args:
        window: Where each output looks; its channels are those of the input.
        matrix: Weights [output channels, taps] and the rest.
        to: Where constants and kernels go.
    """
    to.use("depthwise_conv_2d/depthwise_conv_2d.h")
    outputs, strip = matrix.channels // window.channels, strip_of(window)
    cut = matrix.low == matrix.zero_out == -128
    fast = _fast(window, matrix)
    to.define("EK_DEPTHWISE_3X3" if fast else "EK_DEPTHWISE_ANY")
    to.define("EK_DEPTHWISE_RELU" if cut else "EK_DEPTHWISE_SIGNED")
    if outputs > 1:
        to.define("EK_DEPTHWISE_SPREAD")
    if (matrix.by.shift > 0).any():
        to.define("EK_MULTIPLY_LEFT")
    weights = _whole(matrix.weights).reshape(-1, LANES, matrix.depth).transpose(0, 2, 1)
    layer = to.struct(
        "ek_depthwise_conv_2d_t",
        "layer",
        [
            to.array("weights", weights),
            to.array("bias", _ordered(matrix.folded_bias())),
            to.array("multiplier", _ordered(matrix.by.multiplier)),
            to.array("shift", _ordered(matrix.by.shift).astype(np.int8)),
            *(window.channels, outputs, window.height, window.width),
            *(window.out_height, window.out_width),
            *(window.kernel_height, window.kernel_width),
            *(window.stride_height, window.stride_width),
            *(window.dilation_height, window.dilation_width),
            *(window.pad_top, window.pad_left, strip.rows, strip.pitch),
            *(matrix.zero_in, matrix.zero_out, matrix.low, matrix.high),
            int(fast) + 2 * int(cut),
        ],
    )
    return f"ek_depthwise_conv_2d(&{layer}, {to.inputs[0]}, {to.output}, {to.scratch});"


def _fast(window: Window, matrix: Matrix) -> bool:
    """Whether the taps are 3 x 3 side by side, and pairs of their products fit 16 bits."""
    square = (window.kernel_height, window.kernel_width, window.dilation_width) == (3, 3, 1)
    return square and bool((matrix.weights > -128).all())


def _whole(values: NDArray[Any]) -> NDArray[Any]:
    """With zeros to a multiple of 16 along the first axis."""
    return np.pad(values, [(0, -len(values) % LANES)] + [(0, 0)] * (values.ndim - 1))


def _ordered(values: NDArray[Any]) -> NDArray[Any]:
    """What belongs to the outputs, in the order in which their sums come apart."""
    return np.ascontiguousarray(_whole(values).reshape(-1, LANES)[:, _ORDER]).ravel()
