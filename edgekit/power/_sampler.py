"""Read what has to be asked for its value: a thread that does so at an interval."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgekit.errors import DeviceError

LATE = 10.0
"""Intervals without a sample after which what happened between is not known."""
PATIENCE_S = 5.0


@dataclass
class Samples:
    """What was read.

    Attributes:
        times_s: On `time.monotonic`, the middle of each reading.
        rows: A row a reading.
        error_s: How far a time may be off: half of the longest reading.
    """

    times_s: list[float] = field(default_factory=list)
    rows: list[Sequence[float]] = field(default_factory=list)
    error_s: float = 0.0

    def gaps(self, interval_s: float) -> tuple[tuple[float, float], ...]:
        """Spans in which nothing was read for long."""
        pairs = zip(self.times_s, self.times_s[1:], strict=False)
        return tuple((a, b) for a, b in pairs if b - a > LATE * interval_s)


class Sampler:
    """A thread that calls `read` until it is stopped; at least at its start and at its end."""

    def __init__(self, read: Callable[[], Sequence[float]], interval_s: float, what: str) -> None:
        self._read, self._interval, self._what = read, interval_s, what
        self._samples = Samples()
        self._failed: Exception | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"read {what}", daemon=True)

    def start(self) -> None:
        """Read once, then go on in the thread.

        Raises:
            DeviceError: It cannot be read.
        """
        self._sample()
        self._raise()
        self._thread.start()

    def stop(self) -> Samples:
        """End, after a last reading.

        Raises:
            DeviceError: It stopped answering meanwhile.
        """
        self.abandon()
        if self._thread.is_alive():
            raise DeviceError(f"{self._what} hangs", "check its connection, then try again")
        self._raise()
        return self._samples

    def abandon(self) -> None:
        """End, whatever was read; may be called twice."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._end.is_set() and self._failed is None:
            due += self._interval
            self._end.wait(max(0.0, due - time.monotonic()))
            self._sample()
            due = max(due, time.monotonic() - self._interval)

    def _sample(self) -> None:
        before = time.monotonic()
        try:
            row = self._read()
        except (OSError, ValueError, DeviceError) as error:
            self._failed = error
            return
        after = time.monotonic()
        self._samples.times_s.append((before + after) / 2)
        self._samples.rows.append(row)
        self._samples.error_s = max(self._samples.error_s, (after - before) / 2)

    def _raise(self) -> None:
        error = self._failed
        if isinstance(error, DeviceError):
            raise error
        if isinstance(error, PermissionError):
            hint = f"sudo chmod a+r {error.filename}, or run as root"
            raise DeviceError(f"{self._what} may not be read: {error.filename}", hint) from error
        if error is not None:
            reason = getattr(error, "strerror", None) or error
            hint = "check its connection, then try again"
            raise DeviceError(f"{self._what} cannot be read: {reason}", hint) from error
