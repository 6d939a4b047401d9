"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR of int8 images.

Source: tensorflow/lite/kernels/internal/reference/resize_nearest_neighbor.h and resize_bilinear.h.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.element_wise import Plain
from edgekit.compiler.kernels.common.memory import nearest
from edgekit.compiler.operation import Call, Operation, Unsupported

OPERATORS = ("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR")
_ONE = 1 << 10
"""Places are counted in 1/1024 of a pixel."""
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Nearest(Plain):
    """Each output pixel is one of the input.

    Attributes:
        shape: Of the input: height, width, channels.
        rows: The row of the input for each of the output.
        columns: The same for columns.
    """

    shape: tuple[int, int, int]
    rows: Places
    columns: Places

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """By pixels, of which each is copied from the first byte on."""
        return (_near(self.shape, self.rows, self.columns),)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        return np.asarray(inputs[0].reshape(self.shape)[self.rows][:, self.columns][None])

    def sees(self) -> int:
        """Those of its shape."""
        return self.shape[2]

    def take(self, kept: NDArray[np.bool_]) -> Nearest:
        """The same on some of the channels."""
        return replace(self, shape=(*self.shape[:2], int(kept.sum())))

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.define("EK_RESIZE_NEAREST")
        to.use("resize/resize.h")
        rows = to.array("rows", self.rows.astype(np.uint16))
        columns = to.array("columns", self.columns.astype(np.uint16))
        sizes = self.shape[1], len(self.rows), len(self.columns), self.shape[2]
        layer = to.struct("ek_resize_nearest_t", "layer", [rows, columns, *sizes])
        return f"ek_resize_nearest(&{layer}, {to.inputs[0]}, {to.output});"


@dataclass(frozen=True)
class Axis:
    """Where outputs lie between the pixels of an axis.

    Attributes:
        size: Of the input.
        out: Of the output.
        step: From one output to the next in 1/1024 of a pixel.
        offset: Of the first.
    """

    size: int
    out: int
    step: int
    offset: int

    def places(self) -> tuple[Places, Places, Places]:
        """Lower neighbours, upper ones, and how far from the lower, int64 [out]."""
        at = np.arange(self.out) * self.step + self.offset
        low = np.maximum(at, 0) >> 10
        high = np.minimum(np.maximum(at + _ONE - 1, 0) >> 10, self.size - 1)
        return low, high, at - low * _ONE


@dataclass(frozen=True)
class Bilinear(Plain):
    """Each output pixel is a mean of four of the input.

    Attributes:
        vertical: Of the rows.
        horizontal: Of the columns.
        channels: Of both.
    """

    vertical: Axis
    horizontal: Axis
    channels: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the input: height, width, channels."""
        return self.vertical.size, self.horizontal.size, self.channels

    def sees(self) -> int:
        """Its channels."""
        return self.channels

    def take(self, kept: NDArray[np.bool_]) -> Bilinear:
        """The same on some of the channels."""
        return replace(self, channels=int(kept.sum()))

    def macs(self) -> int:
        """Six for each output."""
        return 6 * self.vertical.out * self.horizontal.out * self.channels

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """By pixels, from the upper left neighbour of each on."""
        return (_near(self.shape, self.vertical.places()[0], self.horizontal.places()[0]),)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        image = inputs[0].reshape(self.shape).astype(np.int64)
        top, bottom, down = self.vertical.places()
        left, right, over = self.horizontal.places()
        rows = image[top] * (_ONE - down)[:, None, None] + image[bottom] * down[:, None, None]
        sums = rows[:, left] * (_ONE - over)[:, None] + rows[:, right] * over[:, None]
        out = np.sign(sums) * ((np.abs(sums) + (1 << 19)) >> 20)
        return np.asarray(out[None], np.int8)

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.define("EK_RESIZE_BILINEAR")
        to.use("resize/resize.h")
        both = self.vertical, self.horizontal
        sizes = [*(axis.size for axis in both), *(axis.out for axis in both), self.channels]
        numbers = [*(axis.step for axis in both), *(axis.offset for axis in both)]
        layer = to.struct("ek_resize_bilinear_t", "layer", [*sizes, *numbers])
        return f"ek_resize_bilinear(&{layer}, {to.inputs[0]}, {to.output});"


def _near(shape: tuple[int, int, int], rows: Places, columns: Places) -> int:
    first = ((rows[:, None] * shape[1] + columns) * shape[2]).ravel()
    return nearest(np.arange(1, first.size + 1) * shape[2], first, during=True)


def lower(call: Call) -> Operation:
    """The operation of a RESIZE_NEAREST_NEIGHBOR or RESIZE_BILINEAR."""
    source, out = call.input(0), call.output
    call.int8(source, out)
    if len(source.shape) != 4 or source.shape[0] != 1:
        raise Unsupported(f"an input of {source.shape}")
    size = tuple(call.integers(1))
    if size != tuple(out.shape[1:3]) or min(size) < 1:
        raise Unsupported(f"its output is {out.shape}, where {size} was expected")
    corners = bool(call.option("align_corners", False))
    centers = bool(call.option("half_pixel_centers", False))
    _, height, width, channels = source.shape
    pairs = (height, size[0]), (width, size[1])
    if call.op.name == "RESIZE_NEAREST_NEIGHBOR":
        rows, columns = (_neighbours(*pair, corners, centers) for pair in pairs)
        return Nearest((height, width, channels), rows, columns)
    if corners and centers:
        raise Unsupported("both align_corners and half_pixel_centers")
    vertical, horizontal = (_axis(*pair, corners, centers) for pair in pairs)
    return Bilinear(vertical, horizontal, channels)


def _neighbours(size: int, out: int, corners: bool, centers: bool) -> Places:
    """The pixel of an axis for each output, computed in float32 as TFLM does."""
    scale = np.float32(size) / np.float32(out)
    if corners and out > 1:
        scale = np.float32(size - 1) / np.float32(out - 1)
    places = (np.arange(out, dtype=np.float32) + np.float32(0.5 if centers else 0.0)) * scale
    rounded = np.floor(places.astype(np.float64) + (0.5 if corners else 0.0))
    return np.asarray(np.clip(rounded, 0, size - 1), np.int64)


def _axis(size: int, out: int, corners: bool, centers: bool) -> Axis:
    step = (_ONE * size + out // 2) // out
    if corners and out > 1:
        step = (_ONE * (size - 1) + (out - 1) // 2) // (out - 1)
    axis = Axis(size, out, step, step // 2 - _ONE // 2 if centers else 0)
    if int(axis.places()[0].max()) >= size:
        raise Unsupported(f"{out} pixels from {size}")
    return axis
