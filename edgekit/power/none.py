"""Meter `none`: nothing is measured, so that a bench can be asked for no energy by name."""

from __future__ import annotations

from edgekit.power.base import MeterInfo, PowerMeter, Trace


class Meter(PowerMeter):
    """Records nothing."""

    title = "no energy"

    def _open(self) -> None:
        """Nothing to connect."""

    def _start(self) -> None:
        """Nothing to start."""

    def _stop(self) -> Trace:
        import numpy as np

        return Trace(np.empty(0), info=MeterInfo("none", "none"))

    def _close(self) -> None:
        """Nothing is held."""
