"""Cells of a table from runs with several seeds; the scripts that measure call it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Runs = Sequence[Mapping[str, Any]]


def mean(runs: Runs, key: str) -> float:
    """Of one figure over the runs."""
    return statistics.mean(one[key] for one in runs)


def mean_and_each(values: Iterable[float], digits: int = 2) -> str:
    """`0.86 (0.7, 0.9, 0.9)`: the mean, which has two digits at least, and every value."""
    known = list(values)
    shown = ", ".join(f"{value:.{digits}f}" for value in known)
    return f"{statistics.mean(known):.{max(digits, 2)}f} ({shown})"


def drops(runs: Runs, digits: int = 2) -> str:
    """Points that the runs lost: the mean, and each."""
    return mean_and_each((one["drop"] for one in runs), digits)


def mean_interval(ends: Iterable[Sequence[float]], digits: int = 2) -> str:
    """`0.55 to 1.21`: the means of the lower and of the upper ends."""
    low, high = (statistics.mean(side) for side in zip(*ends, strict=True))
    return f"{low:.{digits}f} to {high:.{digits}f}"


def interval(runs: Runs, digits: int = 2) -> str:
    """That of the drops, and the rows that each was judged on: `0.55 to 1.21 on 5,000`."""
    ends = mean_interval((one["interval"] for one in runs), digits)
    return f"{ends} on {runs[0]['samples']:,}"
