"""When on this machine's clock a stream's samples were taken, by when they came.

A meter that counts its own samples says nothing of the time of the first. It was taken after the
request to measure, and every block came after its last sample was taken: between these lies the
first sample, and the quickest block on the way bounds it best.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DRIFT_S = 0.01
"""By which a crystal of 100 ppm is ahead after 100 s."""


@dataclass
class Anchor:
    """Bounds of the time of the sample with count zero.

    Attributes:
        asked_s: When the meter was asked to measure, on `time.monotonic`.
        period_s: Of its samples.
    """

    asked_s: float
    period_s: float
    _latest: float = math.inf
    arrived_s: float = -math.inf

    def came(self, count: int, now_s: float) -> None:
        """A block came; `count` is that of the sample after its last."""
        self._latest = min(self._latest, now_s - count * self.period_s)
        self.arrived_s = now_s

    @property
    def codes(self) -> tuple[str, ...]:
        """`clocks_apart`, where more samples came than there was time for."""
        return ("clocks_apart",) if self._latest < self.asked_s - DRIFT_S else ()

    @property
    def begin_s(self) -> float:
        """The middle of what is possible."""
        return (self.asked_s + max(self._latest, self.asked_s)) / 2

    @property
    def error_s(self) -> float:
        """Standard uncertainty: what is possible is a rectangle."""
        return max(self._latest - self.asked_s, 0.0) / 2 / math.sqrt(3)
