"""Requantization by one multiplication, where it can be exact.

TensorFlow Lite Micro multiplies a sum, rounds, shifts, rounds again, adds the zero point and cuts
off (see `requantize`). Where all below the zero point is cut off, that is a staircase whose steps
are almost equally wide. So is the high word of (256 * sum + offset) * factor, shifted by `SHIFT`.
Here `factor` and `offset` of a channel are sought with which each of its at most 255 steps begins
at the same sum; then no sum tells the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.kernels.gemm.matrix import Matrix
from edgekit.compiler.requantize import INT8_LOW, Multipliers, multiply

SHIFT = 10
"""Bits below the output in the high word; kernels have it as an immediate."""
SCALE = 256
"""What sums are multiplied by before."""
_TRIES = 96
"""Factors on either side of the first one."""
_FURTHEST = 12
"""What the last of them changes at the end of the staircase, in units of the scaled sum."""
_NONE = 1 << 60


@dataclass(frozen=True, eq=False)
class OneProduct:
    """Output = int8((high word of (SCALE * sum + offset) * factor) >> SHIFT), saturated.

    Attributes:
        factor: int32 [channels].
        offset: int32 [channels]; the bias is in it: sums come without.
    """

    factor: NDArray[np.int32]
    offset: NDArray[np.int32]


def one_product(matrix: Matrix) -> OneProduct | None:
    """Factors and offsets that do the same for every sum that the matrix can have.

    Returns:
        None where a channel has none, where rounding depends on the sign of sums, and where there
        are several sets of biases.
    """
    if matrix.bias.ndim > 1 or not matrix.low == matrix.zero_out == INT8_LOW:
        return None
    by = matrix.by
    if len(by) == 1:
        by = by.take(np.zeros(matrix.channels, np.int64))
    real = by.multiplier.astype(np.float64) * 2.0 ** (by.shift - 31)
    bottom, top = matrix.reach()
    real = np.where(bottom == top, 1 / SCALE, real)  # any does for what never changes
    first = np.rint(real * 2.0 ** (32 + SHIFT) / SCALE)
    if not ((first >= 1) & (first < (1 << 31) - 1)).all():
        return None
    step = np.maximum(1, np.floor(first * real * _FURTHEST / (_TRIES * 255 * SCALE)))
    factor, offset, slack = _Stairs.of(matrix, by).best(first, step)
    furthest = np.maximum(np.abs(SCALE * bottom + offset), np.abs(SCALE * top + offset))
    whole = offset + SCALE * matrix.bias.astype(np.int64)
    if (slack < 0).any() or max(furthest.max(), np.abs(whole).max()) >= 1 << 31:
        return None
    return OneProduct(factor.astype(np.int32), whole.astype(np.int32))


@dataclass(frozen=True, eq=False)
class _Stairs:
    """Where the steps of each channel begin.

    Attributes:
        outputs: int64 [steps, 1], the outputs at which steps begin.
        sums: The least sum that reaches it, biases included; int64 [steps, channels].
        below: Whether a sum below it can be.
        above: Whether a sum from it on can be.
    """

    outputs: NDArray[np.int64]
    sums: NDArray[np.int64]
    below: NDArray[np.bool_]
    above: NDArray[np.bool_]

    @classmethod
    def of(cls, matrix: Matrix, by: Multipliers) -> _Stairs:
        outputs = np.arange(matrix.low + 1, matrix.high + 1, dtype=np.int64)[:, None]
        bottom, top = matrix.reach()
        low = np.broadcast_to(bottom - 1, (len(outputs), len(by)))
        high = np.broadcast_to(top + 1, low.shape)
        while (high - low > 1).any():
            middle = (low + high) >> 1
            reached = multiply(middle, by) + matrix.zero_out >= outputs
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return cls(outputs, high, high > bottom, high <= top)

    def best(
        self, first: NDArray[np.float64], step: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Factors near the first ones, the offsets in the middle, and how many offsets do besides.

        Less than none where no offset does.
        """
        factor, offset = first.astype(np.int64), np.zeros(len(first), np.int64)
        slack = np.full(len(first), -1)
        for turn in range(-_TRIES, _TRIES + 1):
            tried = np.clip(first + turn * step, 1, (1 << 31) - 1).astype(np.int64)
            low, high = self.offsets(tried)
            better = high - low > slack
            factor = np.where(better, tried, factor)
            offset = np.where(better, (low + high) >> 1, offset)
            slack = np.where(better, high - low, slack)
        return factor, offset, slack

    def offsets(self, factor: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The least and the greatest offset, without bias, with which all steps are met."""
        begins = -((-(self.outputs << (32 + SHIFT))) // factor) - SCALE * self.sums
        low = np.where(self.above, begins, -_NONE).max(axis=0, initial=-_NONE)
        high = np.where(self.below, begins + SCALE - 1, _NONE).min(axis=0, initial=_NONE)
        free = low == -_NONE
        return np.where(free, high - 1, low), np.where(high == _NONE, low + 1, high)
