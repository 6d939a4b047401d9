"""Runs of one level in a digital channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PULSE_SHARE = 0.01
"""Of the distance between two runs; what is shorter is a pulse."""


@dataclass(frozen=True)
class Runs:
    """Whole runs of one level: times of the first sample in each, and of the first after it."""

    starts: list[float]
    ends: list[float]
    pulses: bool


def runs(time_s: NDArray[np.float64], channel: NDArray[Any], level: int | None) -> Runs:
    """The runs of `level`, or of the one that the channel does not begin with."""
    on = np.asarray(channel) != 0
    active = on == (not on[0] if level is None else bool(level)) if on.size else on
    change = np.flatnonzero(active[1:] != active[:-1]) + 1
    starts, ends = change[active[change]], change[~active[change]]
    if active.size and active[0]:
        ends = ends[1:]
    starts = starts[: ends.size]
    return Runs(time_s[starts].tolist(), time_s[ends].tolist(), _pulses(time_s, starts, ends))


def _pulses(time_s: NDArray[np.float64], starts: NDArray[Any], ends: NDArray[Any]) -> bool:
    if starts.size < 2:
        return False
    lengths = time_s[ends] - time_s[starts]
    distance = float(np.median(np.diff(time_s[starts])))
    return bool((ends - starts).max() <= 1 or lengths.max() < PULSE_SHARE * distance)
