"""A trace as a line of bars, with its windows underlined."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from edgekit.measure.energy import WindowEnergy
    from edgekit.power.base import Trace

BARS, UNDER = "▁▂▃▄▅▆▇█", "━"
PLAIN, PLAIN_UNDER = "_.-=+*#@", "^"


def sparkline(trace: Trace, windows: Sequence[WindowEnergy], columns: int) -> list[str]:
    """Two lines: mean power of each of `columns` spans, lowest to highest, and the windows.

    A column without a sample is empty: there samples were lost.
    """
    from edgekit.measure._integrate import power_of

    time, power = trace.time_s, np.nan_to_num(power_of(trace), posinf=0.0)
    columns = min(columns, time.size)
    bins = np.linspace(time[0], time[-1], columns + 1)
    place = np.clip(np.searchsorted(bins, time, "right") - 1, 0, columns - 1)
    count = np.bincount(place, minlength=columns)
    mean = np.bincount(place, power, columns) / np.maximum(count, 1)
    drawn = count > 0
    low, top = float(mean[drawn].min()), float(mean[drawn].max())
    bars, under = (BARS, UNDER) if _shows(BARS) else (PLAIN, PLAIN_UNDER)
    level = np.clip((mean - low) / ((top - low) or 1.0) * len(bars), 0, len(bars) - 1).astype(int)
    line = "".join(bars[i] if n else " " for i, n in zip(level, drawn, strict=True))
    marked = [
        any(a <= w.start_s < b or 0 <= (a + b) / 2 - w.start_s < w.duration_s for w in windows)
        for a, b in pairwise(bins)
    ]
    beneath = "".join(under if one else " " for one in marked)
    return [f"{line}  {low * 1e3:,.4g} to {top * 1e3:,.4g} mW", beneath.rstrip()]


def _shows(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
