"""Meter `ppk2`: Nordic Power Profiler Kit II, through ppk2lab.

It either supplies the board (`source`) or measures in its supply line (`ampere`); it knows current
alone, so the voltage is what it is set to or told. It switches the board on only when told to, and
off again at the end. 100,000 samples a second, with eight digital inputs beside each.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgekit.equipment import Needs, Option
from edgekit.errors import DeviceError, UsageError
from edgekit.power._usb import usb_devices
from edgekit.power.base import MeterInfo, PowerMeter, Trace

if TYPE_CHECKING:
    from ppk2lab import PPK2

    from edgekit.power._ppk2 import Stream

PATIENCE_S, RATE_HZ = 5.0, 100_000.0
USB = ("1915", "c00a")


class Meter(PowerMeter):
    """Streams in a thread; what was lost on the way is a gap."""

    title = "Nordic Power Profiler Kit II"
    options = {  # noqa: RUF012
        "voltage_v": Option(
            "supply: set in source mode, else what the board's supply is", "number"
        ),
        "mode": Option("source (it supplies the board) or ampere; default source"),
        "power": Option("switch the board on for the measurement; default no", "switch"),
        "port": Option("serial port; default the one that is found"),
        "serial": Option("serial number, where several are plugged in"),
    }
    needs = Needs(modules=("ppk2lab",), extra="ppk2")

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        super().__init__(given)
        if "voltage_v" not in self.given:
            raise UsageError("a PPK2 measures no voltage", "give voltage_v, e.g. 3.3")
        self._mode = self.given.get("mode", "source")
        if self._mode not in ("source", "ampere"):
            raise UsageError(f"no mode '{self._mode}'", "source or ampere")
        self._device: PPK2 | None = None
        self._thread: threading.Thread | None = None
        self._end = threading.Event()
        self._failed: Exception | None = None
        self._stream: Stream | None = None

    @classmethod
    def plugged_in(cls) -> list[str]:
        """Those on USB."""
        return [name for name, kind in usb_devices() if kind == USB]

    def _open(self) -> None:
        from ppk2lab.errors import Ppk2labError
        from ppk2lab.types import Mode

        millivolts = round(self.given["voltage_v"] * 1000)
        try:
            self._device = device = self._connect()
            device.set_mode(Mode.SOURCE if self._mode == "source" else Mode.AMPERE)
            device.set_source_voltage_mv(millivolts)
            if self.given.get("power"):
                device.set_dut_power(True)
        except Ppk2labError as error:
            self._close()
            raise _told(error) from error

    def _connect(self) -> PPK2:
        from ppk2lab import PPK2

        return PPK2.open(serial_number=self.given.get("serial"), port=self.given.get("port"))

    def _start(self) -> None:
        from edgekit.power._anchor import Anchor
        from edgekit.power._ppk2 import PERIOD_S, Stream

        if self._device is None:
            raise DeviceError("the meter is not connected", "open it first")
        self._end.clear()
        self._failed = None
        self._stream = Stream(Anchor(time.monotonic(), PERIOD_S))
        self._thread = threading.Thread(target=self._run, name="read PPK2", daemon=True)
        self._thread.start()

    def _stop(self) -> Trace:
        from edgekit.power._ppk2 import trace_of

        if self._device is None or self._stream is None:
            raise DeviceError("nothing was recorded", "start the meter first")
        self._join()
        if self._failed is not None:
            raise _told(self._failed) from self._failed
        calibration = self._device.calibration
        if calibration is None:
            raise DeviceError("the PPK2 told no calibration", "plug it in again")
        told = self._device.info
        name = f"PPK2 {told.serial_number or ''}{' (simulated)' if told.simulated else ''}"
        info = MeterInfo(name.rstrip(), "board", sample_rate_hz=RATE_HZ, estimated=told.simulated)
        stream, self._stream = self._stream, None
        return trace_of(stream, calibration, self.given["voltage_v"], info)

    def _close(self) -> None:
        self._join()
        if self._device is not None:
            self._device.close()
        self._device = self._stream = None

    def _join(self) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)
        self._thread = None

    def _run(self) -> None:
        from ppk2lab.errors import Ppk2labError
        from ppk2lab.types import GapEvent

        device, stream = self._device, self._stream
        assert device is not None
        assert stream is not None
        try:
            with device.stream() as events:
                for event in events:
                    if isinstance(event, GapEvent):
                        stream.lost.append((event.index, event.missing))
                    else:
                        stream.arrived(event.start_index, event.words, time.monotonic())
                    if self._end.is_set():
                        return
        except (Ppk2labError, OSError) as error:
            self._failed = error


def _told(error: Exception) -> DeviceError:
    """What ppk2lab says, as ours."""
    hint = str(getattr(error, "remediation", "") or "plug it in again, then try again")
    text = str(error).removesuffix(".")
    return DeviceError(f"PPK2: {text}", hint)
