"""Signal to quantization noise ratio, added up over arrays and rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

EXACT_DB = 200.0
"""SQNR of identical signals, and the limit of all others: JSON has no infinity."""


@dataclass(frozen=True)
class Sqnr:
    """Energies of a signal and of its error; values add up with `+`."""

    signal: float = 0.0
    noise: float = 0.0

    def add(self, reference: tuple[np.ndarray, ...], built: tuple[np.ndarray, ...]) -> Sqnr:
        """A copy with more arrays, of equal sizes, added."""
        signal, noise = self.signal, self.noise
        for left, right in zip(reference, built, strict=True):
            wanted = left.astype(np.float64).ravel()
            signal += float(wanted @ wanted)
            error = wanted - right.astype(np.float64).ravel()
            noise += float(error @ error)
        return Sqnr(signal, noise)

    def __add__(self, other: Sqnr) -> Sqnr:
        return Sqnr(self.signal + other.signal, self.noise + other.noise)

    @property
    def db(self) -> float:
        """10 log10(signal / noise), within -EXACT_DB..EXACT_DB."""
        if self.noise == 0.0:
            return EXACT_DB
        if self.signal == 0.0:
            return -EXACT_DB
        ratio = 10.0 * (math.log10(self.signal) - math.log10(self.noise))
        return max(-EXACT_DB, min(EXACT_DB, ratio))
