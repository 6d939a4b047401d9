"""Window after window: the device times, the meter records, samples are kept as they come."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from edgekit.devices.base import Device, Request, Window
from edgekit.errors import EdgekitError
from edgekit.harness.run_folder import RunFolder
from edgekit.progress import Progress

if TYPE_CHECKING:
    from edgekit.harness.metering import Metering
    from edgekit.measure.energy import WindowEnergy

ENOUGH, SPARE_S = 100_000, 60.0
"""Windows that no sustained run reaches; how much longer than asked for it may take."""


@dataclass(frozen=True)
class Timed:
    """A window and its energy, None without a meter."""

    window: Window
    energy: WindowEnergy | None = None


@dataclass(frozen=True)
class Session:
    """What all windows of a run share."""

    device: Device
    metering: Metering | None
    folder: RunFolder
    progress: Progress

    def take(self, request: Request, count: int) -> list[Timed]:
        """So many windows, one after another."""
        return list(self.progress.track(self._windows(request, count), count))

    def sustain(self, request: Request, seconds: float) -> list[Timed]:
        """Windows without a pause until the time is over; at least one."""
        taken: list[Timed] = []
        kept = replace(request, keep_s=seconds + SPARE_S)
        for timed in self._windows(kept, ENOUGH):
            taken.append(timed)
            spent = timed.window.end_s - taken[0].window.start_s
            self.progress.advance(int(min(spent, seconds)), int(seconds))
            if spent >= seconds:
                break
        return taken

    def _windows(self, request: Request, count: int) -> Iterator[Timed]:
        for number in range(count):
            yield self._one(number, request)

    def _one(self, number: int, request: Request) -> Timed:
        asked = replace(request, samples=partial(self.folder.samples, number))
        if self.metering is None:
            return Timed(self.device.run(asked))
        self.metering.start()
        try:
            window = self.device.run(asked)
        except BaseException:
            with contextlib.suppress(EdgekitError):  # of two faults the device's is told
                self.metering.stop()
            raise
        trace = self.metering.stop()
        span = self.metering.span(trace, window)
        self.folder.trace(number, trace, span, window.inferences)
        return Timed(window, self.metering.energy(trace, span, window.inferences))
