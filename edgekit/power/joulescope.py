"""Meter `joulescope`: Joulescope JS110 or JS220 in the supply line, through Jetperch's package.

Current and voltage are multiplied sample by sample and averaged to the rate that is kept; the two
inputs are channels `gpi0` and `gpi1`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgekit.equipment import Needs, Option
from edgekit.errors import DeviceError, UsageError
from edgekit.power._usb import usb_devices
from edgekit.power.base import PowerMeter, Trace

if TYPE_CHECKING:
    from edgekit.power._joulescope import Collector

KEEP_HZ, SILENT_S = 10_000.0, 1.0
VENDORS = (("16d0", "0e88"), ("16d0", "10ba"))
PLUG = "plug it in again, then try again"


class Meter(PowerMeter):
    """Collects what the driver streams."""

    title = "Joulescope JS110 or JS220"
    options = {  # noqa: RUF012
        "rate_hz": Option(f"that is kept, as means; default {KEEP_HZ:,.0f} Hz", "number"),
        "io_voltage": Option("of the inputs: 1.8V, 2.5V, 3.3V ...; default 3.3V"),
        "gain_percent": Option("standard uncertainty by its data sheet, in %", "number"),
    }
    needs = Needs(modules=("joulescope",), extra="joulescope")

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        super().__init__(given)
        if self.given.get("rate_hz", KEEP_HZ) <= 0:
            raise UsageError("rate_hz must be above zero", f"e.g. {KEEP_HZ:g}")
        self._device: Any = None
        self._collector: Collector | None = None

    @classmethod
    def plugged_in(cls) -> list[str]:
        """Those on USB, without asking the driver."""
        return [name for name, kind in usb_devices() if kind in VENDORS]

    def _open(self) -> None:
        from joulescope import scan_require_one

        try:
            self._device = scan_require_one()
            self._device.open()
            for name, value in (
                ("sensor_power", "on"),
                ("i_range", "auto"),
                ("io_voltage", self.given.get("io_voltage", "3.3V")),
                ("current_lsb", "gpi0"),
                ("voltage_lsb", "gpi1"),
            ):
                self._device.parameter_set(name, value)
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            self._close()
            raise DeviceError(f"Joulescope: {error}", PLUG) from error

    def _start(self) -> None:
        from edgekit.power._joulescope import Collector

        if self._device is None:
            raise DeviceError("the meter is not connected", "open it first")
        rate = float(self._device.sampling_frequency)
        self._collector = Collector(rate, self.given.get("rate_hz", KEEP_HZ))
        try:
            self._device.stream_process_register(self._collector)
            self._device.start()
        except (RuntimeError, OSError) as error:
            raise DeviceError(f"Joulescope: {error}", PLUG) from error

    def _stop(self) -> Trace:
        collector = self._collector
        if self._device is None or collector is None:
            raise DeviceError("nothing was recorded", "start the meter first")
        silent = time.monotonic() - max(collector.anchor.arrived_s, collector.anchor.asked_s)
        self._end()
        if silent > SILENT_S:
            raise DeviceError(f"the Joulescope has sent nothing for {silent:.1f} s", PLUG)
        name = f"Joulescope {self._device.model.upper()} {self._device.serial_number}"
        return collector.trace(name, self.given.get("gain_percent", 0.0) / 100)

    def _close(self) -> None:
        self._end()
        device, self._device = self._device, None
        if device is not None:
            try:
                device.close()
            except (RuntimeError, OSError):
                return

    def _end(self) -> None:
        collector, self._collector = self._collector, None
        if collector is None or self._device is None:
            return
        try:
            self._device.stop()
            self._device.stream_process_unregister(collector)
        except (RuntimeError, OSError):
            return
