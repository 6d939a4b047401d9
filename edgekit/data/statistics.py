"""What one streamed pass over the rows gathers for the checks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.data.prepare import Prepared
from edgekit.data.readers.base import Row, first


@dataclass
class Statistics:
    """What one pass over the rows gathers; its size does not depend on their number.

    Attributes:
        low: Least raw value.
        high: Largest raw value.
        whole: Whether all raw values are whole numbers.
        count: Raw values seen.
        at_low: Raw values equal to `low`.
        at_high: Raw values equal to `high`.
        constant: Positions of the first rows whose values are all one; up to three.
        constants: How many such rows there are.
        repeated: How many rows repeat an earlier one.
        ready: Per channel of each model input, (least, largest) ready value.
    """

    low: float = np.inf
    high: float = -np.inf
    whole: bool = True
    count: int = 0
    at_low: int = 0
    at_high: int = 0
    constant: list[int] = field(default_factory=list)
    constants: int = 0
    repeated: int = 0
    ready: list[tuple[NDArray[Any], NDArray[Any]]] = field(default_factory=list)

    def add(self, position: int, raw: NDArray[Any], ready: tuple[NDArray[Any], ...]) -> None:
        """Count one row."""
        low, high = float(raw.min()), float(raw.max())
        if low < self.low:
            self.low, self.at_low = low, 0
        if high > self.high:
            self.high, self.at_high = high, 0
        self.count += raw.size
        self.at_low += int(np.count_nonzero(raw == self.low))
        self.at_high += int(np.count_nonzero(raw == self.high))
        if self.whole and raw.dtype.kind == "f":
            self.whole = bool((raw == np.round(raw)).all())
        if low == high and raw.size > 1:
            self.constants += 1
            self.constant += [position] if len(self.constant) < 3 else []
        bounds = [_channel_bounds(array) for array in ready]
        if self.ready:
            pairs = zip(self.ready, bounds, strict=True)
            bounds = [(np.minimum(a, c), np.maximum(b, d)) for (a, b), (c, d) in pairs]
        self.ready = bounds


def gather(rows: Prepared) -> Statistics:
    """One pass over all rows, raw and ready.

    Raises:
        DataError: NaN, infinity, a row that cannot be read or does not fit.
    """
    seen = Statistics()
    digests = np.zeros(len(rows), dtype=np.uint64)
    for position, raw in enumerate(rows.samples):
        seen.add(position, first(raw), rows.row(raw, position))
        digests[position] = _digest(raw)
    seen.repeated = len(digests) - len(np.unique(digests))
    return seen


def _digest(raw: Row) -> int:
    digest = hashlib.blake2b(digest_size=8)
    for array in raw.values() if isinstance(raw, dict) else [raw]:
        digest.update(np.ascontiguousarray(array).data)
    return int.from_bytes(digest.digest(), "little")


def _channel_bounds(array: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    axes = tuple(range(array.ndim - 1))
    return array.min(axis=axes), array.max(axis=axes)
