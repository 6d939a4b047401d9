"""Meter `ina2xx`: INA219, INA226, INA228 or INA260 between a supply and the board.

On the I2C bus of this machine (extra `i2c`), or through the kernel's drivers where they hold the
chip (hwmon), on this machine or on the board that is measured, over ssh. Samples are moments: the
chip's last conversion, asked for at an interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgekit.equipment import Needs, Option
from edgekit.errors import DeviceError, MissingExtra, UsageError
from edgekit.power._ina import CHIPS, Monitor, gain, matches
from edgekit.power._kernel import OPTIONS, ROOT, Kernel
from edgekit.power._polled import Readable
from edgekit.power._sources import Source, find_sources

ADDRESS, SHUNT_PERCENT = 0x40, 1.0
KERNEL = ("ina209", "ina219", "ina220", "ina226", "ina228", "ina230", "ina231", "ina238", "ina260")
I2C = Needs(modules=("smbus2",), extra="i2c")
WIRING = "check wiring, address and chip (i2cdetect -y BUS)"


class Meter(Kernel):
    """Asks one chip."""

    title = "INA219, INA226, INA228 or INA260 on I2C, or held by the kernel (hwmon)"
    options = {  # noqa: RUF012
        "chip": Option(f"on I2C: {', '.join(CHIPS)}"),
        "bus": Option("number of the I2C bus; without it, the kernel's hwmon", "whole"),
        "address": Option("on the bus; default 0x40"),
        "shunt_ohm": Option("shunt; default 0.1, for ina228 0.015", "number"),
        "shunt_percent": Option(f"its tolerance; default {SHUNT_PERCENT:g} %", "number"),
        **OPTIONS,
    }

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        super().__init__(given)
        self._bus: Any = None
        if self.given.get("shunt_ohm", 1.0) <= 0:
            raise UsageError("shunt_ohm must be above zero", "e.g. 0.1")
        if "bus" in self.given:
            _chip(self.given.get("chip"))
            _address(self.given.get("address", ADDRESS))
            if I2C.lacking():
                raise MissingExtra("smbus2 is not installed", I2C.hint())

    @classmethod
    def plugged_in(cls) -> list[str]:
        """Chips that the kernel holds."""
        try:
            found = find_sources(ROOT)
        except OSError:
            return []
        return [f"{source.name} ({source.label})" for source in found if source.label in KERNEL]

    def _find(self) -> Sequence[Readable]:
        return [self._monitor()] if "bus" in self.given else self._kernels()

    def _monitor(self) -> Monitor:
        from smbus2 import SMBus

        label, number = self.given["chip"], self.given["bus"]
        chip, address = CHIPS[label], _address(self.given.get("address", ADDRESS))
        name = f"{label} at 0x{address:02x} on I2C {number}"

        def register(at: int, size: int) -> bytes:
            return bytes(self._bus.read_i2c_block_data(address, at, size))

        ohm = chip.shunt_ohm if chip.inside else self.given.get("shunt_ohm", chip.shunt_ohm)
        percent = self.given.get("shunt_percent", SHUNT_PERCENT)
        monitor = Monitor(name, label, chip, register, ohm, gain(chip, percent))
        try:
            self._bus = SMBus(number)
            right = matches(chip, register)
            monitor.read()
        except OSError as error:
            reason = error.strerror or error
            raise DeviceError(f"{name} does not answer: {reason}", WIRING) from error
        if not right:
            raise DeviceError(f"the chip at 0x{address:02x} is no {label}", WIRING)
        return monitor

    def _kernels(self) -> list[Source]:
        wanted = self.given.get("source")
        held = [source for source in self._sources() if source.label in KERNEL]
        found = [source for source in held if wanted in (None, source.name)]
        if not found:
            hint = "give bus and chip to ask it over I2C"
            raise DeviceError("the kernel holds no such chip", hint)
        if len(found) > 1:
            names = ", ".join(source.name for source in found)
            raise UsageError("the kernel holds several chips", f"choose source: {names}")
        return found

    def _close(self) -> None:
        super()._close()
        if self._bus is not None:
            self._bus.close()
            self._bus = None


def _chip(name: str | None) -> None:
    if name not in CHIPS:
        known = ", ".join(CHIPS)
        raise UsageError(f"no chip '{name}'" if name else "which chip is it?", f"chip: {known}")


def _address(given: Any) -> int:
    try:
        address = int(str(given), 0)
    except ValueError:
        address = -1
    if not 0x03 <= address <= 0x77:
        raise UsageError(f"no I2C address '{given}'", "0x40 to 0x4f for these chips")
    return address
