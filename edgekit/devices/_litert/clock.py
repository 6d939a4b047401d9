"""The clock of a device against this machine's, by the shortest of many round trips.

Source: Cristian 1989, Probabilistic clock synchronization, Distributed Computing 3:146-158.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from edgekit.devices._litert.session import Session

ROUND_TRIPS = 20


@dataclass(frozen=True)
class Clock:
    """Device time = `time.monotonic` of this machine + `offset_s`, give or take `error_s`."""

    offset_s: float
    error_s: float

    def here(self, device_ns: float) -> float:
        """A time of the device on `time.monotonic` of this machine."""
        return device_ns / 1e9 - self.offset_s


def read_clock(session: Session) -> Clock:
    """Ask for the time `ROUND_TRIPS` times and believe the shortest."""
    return min((_trip(session) for _ in range(ROUND_TRIPS)), key=lambda trip: trip.error_s)


def between(before: Clock, after: Clock) -> Clock:
    """For a window between two readings; how far they differ is part of the error."""
    return Clock(
        (before.offset_s + after.offset_s) / 2,
        max(before.error_s, after.error_s) + abs(after.offset_s - before.offset_s) / 2,
    )


def _trip(session: Session) -> Clock:
    sent = time.monotonic()
    there = session.ask("ping", "pong")["t_ns"] / 1e9
    received = time.monotonic()
    return Clock(there - (sent + received) / 2, (received - sent) / 2)
