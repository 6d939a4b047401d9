"""What training took: wall time, and the most memory that the process had meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

EVERY = 0.05
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class Spell:
    """What one pass took.

    Attributes:
        name: Of the pass.
        seconds: Wall time.
        peak_bytes: Largest resident set that was seen.
    """

    name: str
    seconds: float
    peak_bytes: int

    def to_json(self) -> dict[str, Any]:
        """As a report stores it."""
        return {"pass": self.name, "seconds": round(self.seconds, 2), "peak_bytes": self.peak_bytes}


@dataclass
class Spent:
    """What passes took, in the order they ran; those that were finished before took nothing."""

    spells: list[Spell] = field(default_factory=list)

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Add what runs inside, also where it fails."""
        began, watch = time.monotonic(), _Watch()
        watch.start()
        try:
            yield
        finally:
            self.spells.append(Spell(name, time.monotonic() - began, watch.stop()))

    def to_json(self) -> dict[str, Any] | None:
        """As a report stores it: sum, largest and each; None where nothing was trained."""
        if not self.spells:
            return None
        return {
            "training_seconds": round(sum(spell.seconds for spell in self.spells), 2),
            "training_peak_bytes": max(spell.peak_bytes for spell in self.spells),
            "passes": [spell.to_json() for spell in self.spells],
        }


class _Watch(threading.Thread):
    """Looks at the resident set of this process until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        import psutil

        self._process, self._end = psutil.Process(), threading.Event()
        self._peak = 0

    def run(self) -> None:
        """Called by `start`."""
        while not self._end.wait(EVERY):
            self._look()

    def stop(self) -> int:
        """The largest so far, in bytes."""
        self._end.set()
        self.join()
        self._look()
        return self._peak

    def _look(self) -> None:
        self._peak = max(self._peak, int(self._process.memory_info().rss))
