"""The histogram of one activation tensor: equal bins from the smallest to the largest value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 8192


@dataclass(frozen=True)
class Histogram:
    """How often an activation took which value.

    Attributes:
        counts: int64 [bins]; values other than zero.
        low: Left edge of the first bin: the smallest value seen, or 0 when all were above.
        high: Right edge of the last bin: the largest value seen, or 0 when all were below.
        zeros: How many values were exactly zero. They are kept apart because every range
            represents zero exactly, and a RELU's zeros would drown the rest.
    """

    counts: np.ndarray
    low: float
    high: float
    zeros: int = 0

    @property
    def width(self) -> float:
        """Of one bin, in the tensor's unit."""
        return (self.high - self.low) / self.counts.size

    @property
    def edges(self) -> np.ndarray:
        """float64 [bins + 1]."""
        return np.linspace(self.low, self.high, self.counts.size + 1)

    @property
    def centers(self) -> np.ndarray:
        """float64 [bins]."""
        edges = self.edges
        middle: np.ndarray = (edges[:-1] + edges[1:]) / 2
        return middle


class Counter:
    """Fills one histogram from a stream of arrays, in constant memory.

    Args:
        low: Smallest value to expect; values below are counted in the first bin.
        high: Largest value to expect; values above are counted in the last bin.
        bins: Number of bins.
    """

    def __init__(self, low: float, high: float, bins: int = BINS) -> None:
        self.low, self.high = min(0.0, float(low)), max(0.0, float(high))
        self._counts = np.zeros(bins, np.int64)
        self._zeros = 0

    def add(self, values: np.ndarray) -> None:
        """Count `values`, of any shape."""
        flat = values.ravel()
        flat = flat[flat != 0]
        self._zeros += values.size - flat.size
        if self.high == self.low or flat.size == 0:
            return
        bins = self._counts.size
        place = (flat.astype(np.float64) - self.low) * (bins / (self.high - self.low))
        index = np.clip(place, 0, bins - 1).astype(np.int64)
        self._counts += np.bincount(index, minlength=bins)

    def histogram(self) -> Histogram:
        """What was counted so far."""
        return Histogram(self._counts.copy(), self.low, self.high, self._zeros)
