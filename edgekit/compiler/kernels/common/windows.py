"""Where the outputs of convolutions and pools look: kernel, stride, dilation, padding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.operation import Call, Unsupported


@dataclass(frozen=True)
class Window:
    """Sizes of input, output and kernel; batch is 1.

    Attributes:
        height: Of the input; `width` and `channels` likewise.
        out_height: Of the output, likewise `out_width`.
        kernel_height: Taps; likewise `kernel_width`.
        stride_height: Input rows from one output row to the next; likewise `stride_width`.
        dilation_height: Input rows from one tap to the next; likewise `dilation_width`.
        pad_top: Rows of padding above the input; likewise `pad_left`.
    """

    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    kernel_height: int = 1
    kernel_width: int = 1
    stride_height: int = 1
    stride_width: int = 1
    dilation_height: int = 1
    dilation_width: int = 1
    pad_top: int = 0
    pad_left: int = 0

    @property
    def pixels(self) -> int:
        """Outputs of one channel."""
        return self.out_height * self.out_width

    def flat(self) -> Window:
        """One row instead of many, where a window of one pixel visits all of them."""
        plain = (self.kernel_height, self.kernel_width, self.stride_height, self.stride_width)
        if plain != (1, 1, 1, 1) or self.pad_top or self.pad_left:
            return self
        pixels = self.height * self.width
        return replace(self, height=1, width=pixels, out_height=1, out_width=pixels)

    def inner(self) -> tuple[int, int]:
        """In how many rows and columns of the input a window can begin and lie inside."""
        tall = (self.kernel_height - 1) * self.dilation_height + 1
        wide = (self.kernel_width - 1) * self.dilation_width + 1
        return max(0, self.height - tall + 1), max(0, self.width - wide + 1)

    def rows(self) -> NDArray[np.int64]:
        """Input row of each output row and tap, int64 [out_height, kernel_height]."""
        starts = np.arange(self.out_height) * self.stride_height - self.pad_top
        return starts[:, None] + np.arange(self.kernel_height) * self.dilation_height

    def places(self) -> NDArray[np.int64]:
        """Input column of each output column and tap, int64 [out_width, kernel_width]."""
        starts = np.arange(self.out_width) * self.stride_width - self.pad_left
        return starts[:, None] + np.arange(self.kernel_width) * self.dilation_width

    def patches(self, image: NDArray[Any], padding: int) -> NDArray[Any]:
        """What each output sees, [out_height, out_width, kernel_height, kernel_width, channels]."""
        image = image.reshape(self.height, self.width, self.channels)
        rows, places = self.rows(), self.places()
        inside = (
            _inside(rows, self.height)[:, None, :, None]
            & (_inside(places, self.width)[None, :, None, :])
        )
        taken = image[
            np.clip(rows, 0, self.height - 1)[:, None, :, None],
            np.clip(places, 0, self.width - 1)[None, :, None, :],
        ]
        return np.where(inside[..., None], taken, np.asarray(padding, image.dtype))

    def columns(self, image: NDArray[Any], padding: int) -> NDArray[Any]:
        """The same as a matrix [pixels, kernel_height * kernel_width * channels]."""
        return self.patches(image, padding).reshape(self.pixels, -1)

    def counts(self) -> NDArray[np.int64]:
        """Taps of each output that lie inside the input, int64 [out_height, out_width]."""
        rows = _inside(self.rows(), self.height).sum(axis=1)
        places = _inside(self.places(), self.width).sum(axis=1)
        return np.outer(rows, places)

    def overlap(self, out_channels: int, together: int, step: int = 1) -> int:
        """The smallest (start of input - start of output) at which no input is lost.

        Args:
            out_channels: Bytes of one output pixel.
            together: Pixels that are read before any of them is written.
            step: Bytes of one element of the input.
        """
        first = self._first_needed(step)
        done = np.minimum(np.arange(together, self.pixels + together, together), self.pixels)
        needed = np.append(first, self.height * self.width * self.channels * step)
        later = np.minimum.accumulate(needed[::-1])[::-1]
        still = done < self.pixels
        return int(np.max(done[still] * out_channels - later[done[still]], initial=0))

    def _first_needed(self, step: int) -> NDArray[np.int64]:
        """The first byte of the input that each output pixel reads."""
        row = np.clip(self.rows(), 0, self.height - 1).min(axis=1)
        place = np.clip(self.places(), 0, self.width - 1).min(axis=1)
        first = (row[:, None] * self.width + place[None, :]) * self.channels * step
        return np.asarray(first.ravel())


def same_padding(call: Call, shape: tuple[int, int, int], kernel: tuple[int, int]) -> Window:
    """The window of an operator with the options stride, dilation and padding.

    Args:
        call: The operator.
        shape: Height, width, channels of its input.
        kernel: Height, width.

    Raises:
        Unsupported: The output's shape in the file is not what the options give.
    """
    stride = int(call.option("stride_h", 1)), int(call.option("stride_w", 1))
    dilation = int(call.option("dilation_h_factor", 1)), int(call.option("dilation_w_factor", 1))
    if min(*stride, *dilation) < 1 or max(stride) > 255:
        raise Unsupported(f"a stride of {stride} and a dilation of {dilation}")
    same = call.option("padding", "SAME") == "SAME"
    sizes, pads = [], []
    for size, taps, step, gap in zip(shape[:2], kernel, stride, dilation, strict=True):
        reach = (taps - 1) * gap + 1
        out = -(-size // step) if same else max(0, size - reach + step) // step
        sizes.append(out)
        pads.append(max((out - 1) * step + reach - size, 0) // 2 if same else 0)
    if tuple(sizes) != tuple(call.output.shape[1:3]):
        raise Unsupported(f"its output is {call.output.shape}, where {tuple(sizes)} was expected")
    height, width, channels = shape
    return Window(
        height,
        width,
        channels,
        *(sizes[0], sizes[1], kernel[0], kernel[1], stride[0], stride[1]),
        *(dilation[0], dilation[1], pads[0], pads[1]),
    )


def _inside(places: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    return (places >= 0) & (places < size)
