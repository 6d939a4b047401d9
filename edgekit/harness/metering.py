"""A power meter beside a device: what is recorded, and the energy of each window."""

from __future__ import annotations

import time
from collections.abc import Sequence

from edgekit.devices.base import Window
from edgekit.measure.energy import (
    Energy,
    Idle,
    Span,
    WindowEnergy,
    combine,
    edges,
    idle,
    window_energy,
)
from edgekit.power.base import MeterInfo, PowerMeter, Trace

MARGIN_S = 0.05
"""Recorded before and after a stretch, so that its ends lie within the trace."""


class Metering:
    """A meter that is open; a context manager.

    Attributes:
        meter: The meter.
        channel: Of the meter, on which the device marks its windows; "": by the clocks.
        idle: Power of the idle device, once it was recorded.
    """

    def __init__(self, meter: PowerMeter, channel: str = "") -> None:
        self.meter = meter
        self.channel = channel
        self.idle: Idle | None = None
        self._info: MeterInfo | None = None
        self._codes: list[str] = []

    def record_idle(self, seconds: float) -> None:
        """Record the device while it does nothing: only such a stretch may be taken for idle.

        Raises:
            DeviceError: As the meter says.
        """
        self.meter.start()
        time.sleep(MARGIN_S)
        start = time.monotonic()
        time.sleep(seconds)
        end = time.monotonic()
        time.sleep(MARGIN_S)
        trace = self.meter.stop()
        self.idle = idle(trace, Span(start, end), f"{seconds:g} s before the first window")

    def start(self) -> None:
        """Begin to record a window."""
        self.meter.start()

    def stop(self) -> Trace:
        """End it."""
        time.sleep(MARGIN_S)
        return self.meter.stop()

    def span(self, trace: Trace, window: Window) -> Span:
        """Where a window is in its trace: between the edges of the channel, else by the clocks.

        Raises:
            UsageError: The meter has no such channel.
            DataError: The channel marks no window.
        """
        if self.channel:
            return edges(trace, self.channel)[0]
        return Span(window.start_s, window.end_s, window.clock_error_s)

    def energy(self, trace: Trace, span: Span, inferences: int) -> WindowEnergy:
        """Of one window.

        Raises:
            DataError: The trace does not hold it.
        """
        self._info = trace.info
        self._codes += trace.codes
        return window_energy(trace, span, inferences, self.idle)

    def combined(self, windows: Sequence[WindowEnergy]) -> Energy:
        """Of an inference, over windows whose traces were recorded here."""
        assert self._info is not None, "no window was recorded"
        return combine(windows, self._info, self._codes, self.idle)

    def __enter__(self) -> Metering:
        self.meter.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.meter.close()
