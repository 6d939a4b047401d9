"""Channels that can only leave a network together, as classes of a union-find structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Units:
    """Numbers for channels, of which some are one and the same, and some must stay."""

    def __init__(self) -> None:
        self._parent = np.zeros(0, np.int64)
        self._frozen: dict[int, str] = {}

    def fresh(self, count: int) -> Array:
        """Units that nothing is known of yet, [count]."""
        made = np.arange(len(self._parent), len(self._parent) + count)
        self._parent = np.concatenate([self._parent, made])
        return made

    def find(self, units: Array) -> Array:
        """The representative of each unit."""
        found = self._parent[units]
        while (self._parent[found] != found).any():
            found = self._parent[found]
        return found

    def tie(self, left: Array, right: Array) -> None:
        """Make units one, pair by pair."""
        for one, other in zip(left, right, strict=True):
            first, second = sorted(int(unit) for unit in self.find(np.array([one, other])))
            self._parent[second] = first

    def freeze(self, units: Array, why: str) -> None:
        """Units that must stay; the first reason is kept."""
        for unit in np.unique(units):
            self._frozen.setdefault(int(unit), why)

    def numbered(self) -> Numbered:
        """Numbers 0, 1, ... for what turned out to be different."""
        roots, number = np.unique(self.find(np.arange(len(self._parent))), return_inverse=True)
        frozen: dict[int, str] = {}
        for unit, why in self._frozen.items():
            frozen.setdefault(int(number[unit]), why)
        return Numbered(len(roots), number.astype(np.int64), frozen)


@dataclass(frozen=True, eq=False)
class Numbered:
    """Units, when all is known.

    Attributes:
        count: Of units.
        number: By what `Units.fresh` gave: 0..count - 1.
        frozen: Unit -> why it must stay.
    """

    count: int
    number: Array
    frozen: dict[int, str]
