"""Trials of networks that do not exist, for replays: are samplers as good where shapes are others?

What a table of real trials taught a sampler may be the table's alone. Here a seed makes a network:
which passes can be searched, how latency, flash and accuracy follow each amount, how passes disturb
each other, and noise as of training. `search_figures.py --made-up 30` replays them.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any

GRID: dict[str, tuple[Any, ...]] = {
    "remove.macs": ("off", 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3),
    "low_rank.macs": ("off", 0.8, 0.6, 0.4),
    "prune.sparsity": ("off", 0.3, 0.5, 0.7, 0.8, 0.9),
    "cluster.clusters": ("off", 64, 32, 16, 8),
    "quantize_aware.use": ("off", "on"),
    "compile.optimize": ("size", "balanced", "speed"),
}
_ALWAYS = ("remove.macs", "prune.sparsity")
_SHARE = 0.6
"""How often a dimension that is not always there is."""


@dataclass(frozen=True)
class Loss:
    """Points lost where a share of something leaves: `most` times that to the power."""

    most: float
    power: float

    def of(self, left_out: float) -> float:
        """Points."""
        return float(self.most * left_out**self.power)


class Network:
    """One network of made-up figures.

    Args:
        seed: The same seed gives the same network.
    """

    def __init__(self, seed: int) -> None:
        draw = random.Random(f"network {seed}")
        between = draw.uniform
        self._seed = seed
        self.grid = {k: v for k, v in GRID.items() if k in _ALWAYS or draw.random() < _SHARE}
        self._removed = Loss(between(5, 40), between(1.5, 4))
        self._low_rank = Loss(between(2, 20), between(1, 3))
        self._zeros = Loss(between(2, 30), between(2, 6))
        self._clusters = (0.0, 0.0, between(0, 0.5), between(0.2, 2), between(1, 8))
        self._together, self._aware, self._noise = between(0, 2), between(0, 1), between(0.1, 1)
        self._ms, self._work = between(10, 300), between(0.6, 1)
        self._weights, self._code = between(30e3, 300e3), between(5e3, 20e3)
        self._packed, self._zeros_slow = between(0, 0.9), between(-0.3, 0.4)
        self._code_book = (1.0, 1.0, 1.0, between(0.5, 1), between(0.4, 0.9))
        self._code_book_slow = (1.0, 1.0, 1.0, between(1, 1.6), between(1, 1.6))
        self._optimize = {
            "size": (1.0, between(1.05, 1.6)),
            "balanced": (between(1, 1.15), between(1, 1.2)),
            "speed": (between(1.05, 1.4), 1.0),
        }

    def figures(self, choices: dict[str, Any]) -> dict[str, float]:
        """Drop, flash, latency and multiply-accumulates of a build."""
        removed, low_rank = (_left(choices, f"{name}.macs") for name in ("remove", "low_rank"))
        zeros = 1 - _left(choices, "prune.sparsity", sparse=True)
        book = GRID["cluster.clusters"].index(choices.get("cluster.clusters", "off"))
        code, slow = self._optimize[choices.get("compile.optimize", "balanced")]
        lost = [self._removed.of(1 - removed), self._low_rank.of(1 - low_rank)]
        lost += [self._zeros.of(zeros)]
        pairs = sum(one * other for one, other in itertools.combinations(lost, 2))
        aware = self._aware if choices.get("quantize_aware.use") == "on" else 0.0
        drop = sum(lost) + self._together * pairs / 10 + self._clusters[book] - aware
        macs = removed * low_rank
        weights = self._weights * macs * (1 - self._packed * max(0, zeros - 0.3))
        ms = self._ms * macs**self._work * (1 + self._zeros_slow * zeros)
        return {
            "drop": round(drop + self._trained(choices), 3),
            "flash": round(self._code * code + weights * self._code_book[book]),
            "latency": float(f"{ms * self._code_book_slow[book] * slow:.6g}"),
            "macs": macs,
        }

    def rows(self, model: str) -> list[dict[str, Any]]:
        """All its points, as lines of the table of real trials have them."""
        points = (
            dict(zip(self.grid, values, strict=True))
            for values in itertools.product(*self.grid.values())
        )
        return [{"model": model, "choices": each, "figures": self.figures(each)} for each in points]

    def _trained(self, choices: dict[str, Any]) -> float:
        """Noise, the same for the same passes: how the C is compiled trains nothing."""
        passes = {k: v for k, v in choices.items() if k != "compile.optimize" and v != "off"}
        return random.Random(f"{self._seed} {passes}").gauss(0, self._noise) if passes else 0.0


def _left(choices: dict[str, Any], name: str, sparse: bool = False) -> float:
    """The share that a pass leaves."""
    amount = choices.get(name, "off")
    if amount == "off":
        return 1.0
    return 1 - float(amount) if sparse else float(amount)
