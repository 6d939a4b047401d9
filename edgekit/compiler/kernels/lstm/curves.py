"""The logistic function and tanh of 16-bit values by a table of 256 and straight lines between.

Source: tensorflow/lite/kernels/internal/reference/integer_ops/logistic.h and tanh.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def _table() -> NDArray[np.uint16]:
    """1 / (1 + exp(-n / 24)) with 16 fractional bits, uint16 [256].

    A line between two values of the curve runs below it, by step^2 / 8 of the second derivative at
    most; the values are raised by half of that. The last one is the limit.
    """
    values = 1 / (1 + np.exp(-np.arange(256) / 24))
    second = values * (1 - values) * (1 - 2 * values)
    table = np.floor(65536 * (values - second / 24**2 / 16) + 0.5)
    return np.append(table[:-1], 65535).astype(np.uint16)


TABLE = _table()


def logistic(values: NDArray[Any]) -> NDArray[np.int64]:
    """Of int16 with 12 fractional bits; the result has 15."""
    scaled = values.astype(np.int64) * 3
    result = _between(np.abs(scaled), 9, 0x7FFF << 10)
    result = np.where(scaled >= 0, result + (1 << 9), (1 << 25) - result + (1 << 9) - 1)
    return np.asarray(result >> 10)


def tanh(values: NDArray[Any], multiplier: int, shift: int) -> NDArray[np.int64]:
    """Of int16 times multiplier / 2^shift / 3, 12 fractional bits; the result has 15."""
    scaled = values.astype(np.int64) * multiplier
    scaled = (scaled + ((1 << shift) >> 1)) >> shift
    result = _between(np.abs(scaled), 8, 0xFFFF << 8)
    half = 1 << 23
    result = np.where(scaled >= 0, result - half + 128, half - result + 127)
    return np.asarray(result >> 8)


def _between(size: NDArray[np.int64], bits: int, limit: int) -> NDArray[np.int64]:
    """A value of the table with `bits` more."""
    place, rest = size >> bits, size & ((1 << bits) - 1)
    table = TABLE.astype(np.int64)
    low, high = table[np.minimum(place, 254)], table[np.minimum(place, 254) + 1]
    return np.where(place >= 255, limit, (low << bits) + rest * (high - low))
