"""Meter `estimate`: a constant power that is known of a board, labelled as what it is.

Nothing is measured: the power of a processor that computes all the time, as a published measurement
gives it per clock cycle (pJ a cycle times cycles a second). It says nothing of what the model does
to the power, and every figure that comes of it carries the code `estimated`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from edgekit.equipment import Option
from edgekit.errors import DeviceError, UsageError
from edgekit.power.base import MeterInfo, PowerMeter, Trace

SOURCE = (
    "give power_w, or pj_per_cycle and clock_mhz (edgekit targets NAME has them of some boards)"
)

POINTS = 10_001
"""Of the line: a window begins and ends between two, which must not make it uncertain."""


class Meter(PowerMeter):
    """Draws a level line as long as the capture."""

    title = "no meter: a board's known power while it computes, labelled estimated"
    options = {  # noqa: RUF012
        "power_w": Option("of the board while it computes, in W", "number"),
        "pj_per_cycle": Option("energy of a clock cycle, in pJ", "number"),
        "clock_mhz": Option("clock of the processor, in MHz", "number"),
    }

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        super().__init__(given)
        cycle, clock = self.given.get("pj_per_cycle"), self.given.get("clock_mhz")
        if (cycle is None) != (clock is None) or ("power_w" in self.given) == (cycle is not None):
            raise UsageError("an estimate needs one power", SOURCE)
        self._power: float = self.given.get("power_w") or (cycle or 0.0) * (clock or 0.0) * 1e-6
        if self._power <= 0:
            raise UsageError("the power of an estimate must be above zero", SOURCE)
        self._begun: float | None = None

    def _open(self) -> None:
        """Nothing to connect."""

    def _start(self) -> None:
        self._begun = time.monotonic()

    def _stop(self) -> Trace:
        import numpy as np

        if self._begun is None:
            raise DeviceError("nothing was recorded", "start the meter first")
        times = np.linspace(self._begun, time.monotonic(), POINTS)
        self._begun = None
        info = MeterInfo(f"estimate at {self._power * 1e3:g} mW", "none", estimated=True)
        return Trace(times, energy_j=self._power * (times - times[0]), info=info)

    def _close(self) -> None:
        self._begun = None
