"""The least and the greatest value that each channel can have, whatever the input is.

Bounds, not tight ones: a channel whose bounds meet is constant although its weights are not zero,
as where an activation cuts off all that its sums can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.kernels.gemm.matrix import Matrix
from edgekit.compiler.requantize import INT8_HIGH, INT8_LOW, multiply

_INT32 = 1 << 31


@dataclass(frozen=True, eq=False)
class Ranges:
    """Bounds of the channels of a value.

    Attributes:
        low: int64 [channels].
        high: int64 [channels].
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]

    @classmethod
    def all(cls, channels: int) -> Ranges:
        """What any int8 value has."""
        return cls(np.full(channels, INT8_LOW, np.int64), np.full(channels, INT8_HIGH, np.int64))

    def rows(self, times: int) -> Ranges:
        """Each channel so many times, one after the other, as [channels * times, 1]."""
        return Ranges(np.repeat(self.low, times)[:, None], np.repeat(self.high, times)[:, None])

    def tile(self, count: int) -> Ranges:
        """All channels one after the other, again and again up to `count`, as [1, count]."""
        return Ranges(np.resize(self.low, (1, count)), np.resize(self.high, (1, count)))

    def met(self) -> NDArray[np.bool_]:
        """Which channels can have one value only."""
        return np.asarray(self.low == self.high)


def of_matrix(matrix: Matrix, inputs: Ranges) -> Ranges:
    """Bounds of what a matrix makes of inputs.

    Args:
        matrix: With one bias for each channel.
        inputs: Of each weight's input, as [1, depth] or [channels, 1].
    """
    weights = matrix.weights.astype(np.int64)
    low = np.minimum(inputs.low - matrix.zero_in, 0)  # padding is the zero point
    high = np.maximum(inputs.high - matrix.zero_in, 0)
    positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
    least = matrix.bias + (positive * low + negative * high).sum(axis=1)
    most = matrix.bias + (positive * high + negative * low).sum(axis=1)
    left = np.maximum(matrix.by.shift, 0).astype(np.int64)
    wraps = (np.maximum(np.abs(least), np.abs(most)) << left) >= _INT32
    bottom, top = (
        np.clip(multiply(sums, matrix.by) + matrix.zero_out, matrix.low, matrix.high)
        for sums in (least, most)
    )
    return Ranges(np.where(wraps, INT8_LOW, bottom), np.where(wraps, INT8_HIGH, top))
