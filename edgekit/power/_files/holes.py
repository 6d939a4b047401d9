"""Samples that a recording lacks without saying so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REGULAR, SAME, MISSING = 0.9, 0.1, 1.5


def holes(time_s: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """Spans in which samples must have been lost, from the last before to the first after.

    Only where nine of ten intervals are within a tenth of the median is one of more than 1.5 times
    that a hole; samples that come as they like leave none.
    """
    steps = np.diff(time_s)
    period = float(np.median(steps)) if steps.size else 0.0
    if period <= 0 or np.mean(np.abs(steps - period) <= SAME * period) < REGULAR:
        return ()
    at = np.flatnonzero(steps > MISSING * period)
    return tuple(zip(time_s[at].tolist(), time_s[at + 1].tolist(), strict=True))
