"""Samples of a Joulescope as they come, averaged to the rate that is kept."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DeviceError
from edgekit.power._anchor import Anchor
from edgekit.power.base import MeterInfo, Trace

FIELDS = {"current": "current", "voltage": "voltage", "gpi0": "current_lsb", "gpi1": "voltage_lsb"}
"""Fields of the stream buffer by what they hold; the low bits are set to carry the inputs."""


class Collector:
    """What `Device.stream_process_register` takes: told whenever there is more in the buffer."""

    def __init__(self, rate_hz: float, keep_hz: float) -> None:
        self.driver_active = True
        self.anchor = Anchor(time.monotonic(), 1 / rate_hz)
        self.lost: list[tuple[int, int]] = []
        self._step = max(1, round(rate_hz / keep_hz))
        self._next: int | None = None
        self._first = 0
        self._rest: NDArray[np.float64] = np.empty((1 + len(FIELDS), 0))
        self._kept: list[NDArray[np.float64]] = []

    def stream_notify(self, buffer: Any) -> bool:
        """Take what is new; never ends the stream."""
        start, end = buffer.sample_id_range
        if self._next is None:
            self._first = self._next = start
        if start > self._next:
            self.lost.append((self._next - self._first, start - self._first))
            self._next, self._rest = start, self._rest[:, :0]
        if end > self._next:
            signals = buffer.samples_get(self._next, end, fields=list(FIELDS.values()))["signals"]
            counts = np.arange(self._next - self._first, end - self._first)
            rows = [signals[field]["value"] for field in FIELDS.values()]
            self._average(np.array([counts, *rows], np.float64))
            self._next = end
            self.anchor.came(end - self._first, time.monotonic())
        return False

    def trace(self, name: str, gain: float) -> Trace:
        """What was kept.

        Raises:
            DeviceError: Nothing came.
        """
        if not self._kept:
            raise DeviceError("the Joulescope sent nothing", "check the cable, then try again")
        counts, power, *pins = np.concatenate(self._kept, axis=1)
        period, begin = self.anchor.period_s, self.anchor.begin_s
        time_s = begin + counts * period
        missing = [(a * period + begin, b * period + begin) for a, b in self.lost]
        dropped = time_s[np.isnan(power)]
        missing += [(float(t), float(t) + self._step * period) for t in dropped]
        return Trace(
            time_s,
            power_w=power,
            digital=dict(zip(list(FIELDS)[2:], (np.array(p, np.uint8) for p in pins), strict=True)),
            gaps=tuple(sorted(missing)),
            clock_error_s=self.anchor.error_s,
            codes=self.anchor.codes,
            info=MeterInfo(name, "board", gain, 1 / (self._step * period)),
            sample="mean",
        )

    def _average(self, samples: NDArray[np.float64]) -> None:
        """Means of whole steps: power of the products, and an input's level at the step's start."""
        samples = np.concatenate([self._rest, samples], axis=1)
        whole = samples.shape[1] // self._step * self._step
        self._rest = samples[:, whole:]
        if whole:
            counts, current, voltage, *pins = samples[:, :whole].reshape(
                len(samples), -1, self._step
            )
            power = (current * voltage).mean(axis=1)
            levels = [np.nan_to_num(pin[:, 0]) > 0 for pin in pins]
            self._kept.append(np.array([counts[:, 0], power, *levels]))
