"""Kernels of any layer as matrices with a column for each output channel, and their code books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.quantizers._code_book import LARGEST

Array = NDArray[Any]
SAME = 1e-3 / LARGEST
"""Weights that are less than a thousandth of an integer step apart are one code: float32 rounds
products of scale and code much finer."""


@dataclass(frozen=True)
class Columns:
    """How the kernel of a layer is laid out.

    Attributes:
        attribute: Of the tf_keras layer, that holds it.
        order: Its axes so that the output channels come last.
        shape: Of the kernel.
        merged: How many of the ordered axes, from the last, are output channels.
    """

    attribute: str
    order: tuple[int, ...]
    shape: tuple[int, ...]
    merged: int = 1

    @classmethod
    def of(cls, kind: str, shape: tuple[int, ...]) -> Columns:
        """Those of a Keras layer of this class: `Conv2D`, `DepthwiseConv2D`, ..."""
        straight = tuple(range(len(shape)))
        if kind == "DepthwiseConv2D":  # [height, width, channels, multiplier]
            return cls("depthwise_kernel", straight, shape, merged=2)
        if kind.endswith("Transpose"):  # [..., output channels, input channels]
            return cls("kernel", (*straight[:-2], straight[-1], straight[-2]), shape)
        return cls("kernel", straight, shape)

    def flatten(self, kernel: Array) -> Array:
        """[weights, output channels]."""
        ordered = kernel.transpose(self.order)
        channels = int(np.prod(ordered.shape[-self.merged :]))
        return ordered.reshape(-1, channels)

    def restore(
        self,
        flat: Any,
        reshape: Callable[..., Any] = np.reshape,
        transpose: Callable[..., Any] = np.transpose,
    ) -> Any:
        """The kernel of what `flatten` gave; with other functions, as a tensor."""
        ordered = reshape(flat, [self.shape[axis] for axis in self.order])
        back = tuple(int(axis) for axis in np.argsort(self.order))
        return ordered if back == self.order == tuple(sorted(back)) else transpose(ordered, back)


@dataclass(frozen=True, eq=False)
class Book:
    """A kernel [weights, channels] = start[channel] * codes[index, channel].

    Attributes:
        start: [channels], positive.
        codes: [codes, 1] where the channels share them, else [codes, channels]; at most 1.
        index: [weights, channels].
    """

    start: Array
    codes: Array
    index: Array

    @classmethod
    def shared(cls, flat: Array, scales: Array) -> Book:
        """One for all channels, whose integers are weights / scales."""
        start = np.where(scales > 0, scales * np.float32(LARGEST), np.float32(1))
        codes, index = _codes(flat / start)
        return cls(start.astype(np.float32), codes[:, None], index)

    @classmethod
    def per_channel(cls, flat: Array) -> Book:
        """One for each channel."""
        largest = np.abs(flat).max(axis=0)
        start = np.where(largest > 0, largest, np.float32(1))
        found = [_codes(column) for column in (flat / start).T]
        codes = np.zeros((max(len(one) for one, _ in found), len(start)), np.float32)
        for channel, (one, _) in enumerate(found):
            codes[: len(one), channel] = one
        return cls(start, codes, np.stack([index for _, index in found], axis=1))


def _codes(values: Array) -> tuple[Array, Array]:
    """The different values, sorted, and which of them each one is; zero is exactly zero."""
    order = np.argsort(values, axis=None)
    ranked = values.reshape(-1)[order]
    number = np.concatenate([[0], np.cumsum(np.diff(ranked) > SAME)])
    codes = np.bincount(number, ranked) / np.bincount(number)
    index = np.empty(values.size, np.int64)
    index[order] = number
    codes[np.abs(codes) < SAME] = 0.0
    return codes.astype(np.float32), index.reshape(values.shape)
