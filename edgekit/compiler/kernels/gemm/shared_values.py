"""Values that all channels share but for a factor: clusters that came before scales a channel.

A tensor of floats with 16 values, quantized with a scale for each channel, has 16 integers in each
channel and other ones in every channel. Here the 16 values are found again: integers stand for
intervals of reals, and a value is what the intervals of all channels have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BASE_BITS = 22
_PRODUCT_BITS = 32
_HALF = 0.499  # of a step; less than 1/2, so that neighbours in a channel share no value


@dataclass(frozen=True, eq=False)
class SharedValues:
    """Weight = high 32 bits of bases[index] * factors[channel], rounded.

    Attributes:
        bases: int32 [16].
        factors: int32 [channels].
        indices: uint8 [channels, depth].
    """

    bases: NDArray[np.int32]
    factors: NDArray[np.int32]
    indices: NDArray[np.uint8]


def shared_values(
    weights: NDArray[np.int8], scales: NDArray[np.float64], most: int
) -> SharedValues | None:
    """The values behind weights; None where they are more than `most`, or not met exactly.

    Args:
        weights: int8 [channels, depth].
        scales: Of each channel, but for a factor, float64 [channels].
        most: How many values there may be.
    """
    integers = [np.unique(row) for row in weights]
    found = _pierce(
        np.concatenate(
            [(row - _HALF) * scale for row, scale in zip(integers, scales, strict=True)]
        ),
        np.concatenate(
            [(row + _HALF) * scale for row, scale in zip(integers, scales, strict=True)]
        ),
        most,
    )
    if found is None or not np.abs(found).max() > 0:
        return None
    unit = np.abs(found).max() / (1 << _BASE_BITS)
    factors = 2.0**_PRODUCT_BITS / (scales / unit)
    if factors.max() >= 1 << 31:
        return None
    bases = np.pad(np.rint(found / unit), (0, most - len(found))).astype(np.int32)
    whole = np.rint(factors).astype(np.int32)
    tables = high_product(bases, whole)
    matches = tables[:, None, :] == weights[:, :, None]
    if not matches.any(axis=2).all():
        return None
    return SharedValues(bases, whole, matches.argmax(axis=2).astype(np.uint8))


def high_product(bases: NDArray[np.int32], factors: NDArray[np.int32]) -> NDArray[np.int64]:
    """What a device makes of bases for each channel, int64 [channels, bases]."""
    products = factors.astype(np.int64)[:, None] * bases.astype(np.int64)
    return np.asarray((products + (1 << (_PRODUCT_BITS - 1))) >> _PRODUCT_BITS)


def _pierce(
    low: NDArray[np.float64], high: NDArray[np.float64], most: int
) -> NDArray[np.float64] | None:
    """The fewest points so that each interval has one: middles of what intervals share."""
    order = np.argsort(high)
    points, begin, end = [], -np.inf, -np.inf
    for start, stop in zip(low[order], high[order], strict=True):
        if start <= end:
            begin = max(begin, start)
            continue
        if np.isfinite(end):
            points.append((begin + end) / 2)
        begin, end = start, stop
    points.append((begin + end) / 2)
    return np.array(points) if len(points) <= most else None
