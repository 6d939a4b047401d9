"""What a device does when it must go on: the curve over time, and when it begins to slow down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgekit.devices.base import Window

SLOWER = 0.05
"""A device throttles once its windows are, and stay, so much slower than at the start."""
COLD = HOT = 0.1
"""Shares of the run, first and last, that are called cold and hot."""


@dataclass(frozen=True)
class Point:
    """One window of a sustained run.

    Attributes:
        time_s: Middle of the window, from the start of the first.
        median_ms: Latency of it.
        temperature_c: Hottest sensor after it.
        frequency_mhz: Fastest core after it.
        energy_mj: Of an inference, where a meter was there.
    """

    time_s: float
    median_ms: float
    temperature_c: float | None
    frequency_mhz: float | None
    energy_mj: float | None


@dataclass(frozen=True)
class Sustained:
    """A run that went on for a while.

    Attributes:
        curve: Window by window.
        cold_ms: Median of the first windows.
        hot_ms: Median of the last ones.
        onset_s: When it became, and stayed, slower than cold; None where it never did.
        cold_mj: Energy of an inference in the first windows.
        hot_mj: In the last ones.
    """

    curve: tuple[Point, ...]
    cold_ms: float
    hot_ms: float
    onset_s: float | None
    cold_mj: float | None
    hot_mj: float | None

    def to_json(self) -> dict[str, Any]:
        """By the names above."""
        return {**asdict(self), "curve": [asdict(point) for point in self.curve]}


def over_time(windows: Sequence[Window], energies_mj: Sequence[float | None]) -> Sustained:
    """The curve of consecutive windows.

    Args:
        windows: In order, at least one.
        energies_mj: Of an inference in each; None without a meter.
    """
    start = windows[0].start_s
    pairs = zip(windows, energies_mj, strict=True)
    curve = tuple(_point(window, energy, start) for window, energy in pairs)
    count = max(1, round(COLD * len(curve)))
    cold, hot = curve[:count], curve[-count:]
    cold_ms = _median([point.median_ms for point in cold])
    return Sustained(
        curve=curve,
        cold_ms=cold_ms,
        hot_ms=_median([point.median_ms for point in hot]),
        onset_s=_onset(curve, cold_ms),
        cold_mj=_energy(cold),
        hot_mj=_energy(hot),
    )


def _point(window: Window, energy: float | None, start: float) -> Point:
    after = window.after
    return Point(
        time_s=(window.start_s + window.end_s) / 2 - start,
        median_ms=_median(window.latency_ms),
        temperature_c=max(after.temperatures_c.values()) if after.temperatures_c else None,
        frequency_mhz=max(after.frequencies_mhz) if after.frequencies_mhz else None,
        energy_mj=energy,
    )


def _onset(curve: Sequence[Point], cold_ms: float) -> float | None:
    """The first of the last windows that are all slower; one alone may be a spike."""
    slow = [point.median_ms > (1 + SLOWER) * cold_ms for point in curve]
    steady = len(slow) - next((n for n, one in enumerate(reversed(slow)) if not one), len(slow))
    return curve[steady].time_s if steady < len(curve) - 1 else None


def _energy(points: Sequence[Point]) -> float | None:
    known = [point.energy_mj for point in points if point.energy_mj is not None]
    return _median(known) if known else None


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))
