"""Windows of inferences: how many there must be, and how long one took.

By the rules of MLPerf Tiny a window lasts at least 10 s, and the median of five counts. By its
protocol the device prints the first timestamp inside of the window: 2 ms at 115200 baud.
Source: github.com/mlcommons/tiny_results_v1.2, benchmark rules; runner/script.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from edgekit.devices._serial.monitor import Inferred
from edgekit.devices._serial.session import Session
from edgekit.devices.base import Request

RULES_S = 10.0
ATTEMPTS = 3
WRAP_S = 2**32 / 1e6
RATE, LATE_S = 0.05, 0.2
"""How far the device's clock may be off the host's: relatively, and by what the host is late."""


@dataclass(frozen=True)
class Timed:
    """A window: what the device told, its length in seconds, warm-ups, and what went wrong."""

    ran: Inferred
    seconds: float
    warmups: int
    codes: tuple[str, ...]

    @property
    def latency_s(self) -> float:
        """Mean of an inference."""
        return self.seconds / self.ran.inferences


def time_window(session: Session, request: Request, quiet_s: float, real_time: bool) -> Timed:
    """Time so many inferences as fill a window.

    Args:
        session: With a device that is prepared.
        request: What is asked for.
        quiet_s: How long the device may be late.
        real_time: Whether the device's clock and the host's run alike.
    """
    monitor, pace_s = session.monitor, session.pace_s
    most = max(1, int(request.most_seconds / pace_s))
    count = min(most, max(request.inferences, ceil(1.01 * request.seconds / pace_s)))
    warmups = min(most, ceil(request.warmup_seconds / pace_s))
    for _ in range(ATTEMPTS):
        garbled = monitor.garbled
        ran = monitor.infer(count, warmups, quiet_s + 3 * pace_s * max(count, warmups))
        seconds, codes = length(ran, session.round_trip_s, real_time)
        codes += ("reconnected",) * (monitor.garbled > garbled)
        codes += ("golden_mismatch",) * (repr(ran.results) != session.printed)
        timed = Timed(ran, seconds, warmups, codes)
        if codes or seconds >= request.seconds or count >= most:
            break
        count = min(most, max(count + 1, ceil(1.05 * count * request.seconds / max(seconds, 1e-9))))
    return timed


def length(ran: Inferred, round_trip_s: float, real_time: bool) -> tuple[float, tuple[str, ...]]:
    """Seconds from the first to the last timed inference, and what is wrong with the clock.

    The device's clock counts, which may have wrapped at 32 bits; the host's where it has none, or
    where it says what cannot be.
    """
    host = ran.ended_s - ran.began_s
    if ran.us is None:
        return host, ()
    device = (ran.us[1] - ran.us[0]) / 1e6
    if device < 0 and ran.us[0] < 2**32:
        device += WRAP_S
    off = abs(device - host) > RATE * host + round_trip_s + LATE_S
    if device < 0 or (off and real_time):
        return host, ("clock_jump",)
    return device, ()
