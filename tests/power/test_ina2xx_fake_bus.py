"""Meter ina2xx against a fake bus: no I2C chip can be here, so its registers are made by hand.

The bytes follow the data sheets' tables of registers; those of INA226 are its worked example.
"""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edgekit.equipment import Needs
from edgekit.errors import DeviceError, MissingExtra, UsageError
from edgekit.measure.energy import Span, window_energy
from edgekit.power import ina2xx
from edgekit.power.ina2xx import Meter


class FakeBus:
    """Register contents of one chip, most significant byte first."""

    registers: dict[int, bytes] = {}  # noqa: RUF012
    address = 0x40
    dead = False
    open_ones = 0

    def __init__(self, number: int) -> None:
        if number == 9:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/dev/i2c-9")
        type(self).open_ones += 1

    def read_i2c_block_data(self, address: int, register: int, size: int) -> list[int]:
        if self.dead or address != self.address:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        content = self.registers[register]
        assert len(content) == size
        return list(content)

    def close(self) -> None:
        type(self).open_ones -= 1


@pytest.fixture(autouse=True)
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeBus]]:
    module: Any = ModuleType("smbus2")
    module.SMBus = FakeBus
    monkeypatch.setitem(sys.modules, "smbus2", module)
    monkeypatch.setattr(ina2xx, "I2C", Needs())
    for name, value in (("registers", {}), ("dead", False), ("open_ones", 0)):
        monkeypatch.setattr(FakeBus, name, value)
    yield FakeBus
    assert FakeBus.open_ones == 0


def record(**given: object) -> tuple[float, float, Any]:
    """Mean current and voltage, and the trace."""
    with Meter({"bus": 1, "interval_ms": 1, **given}) as meter:
        meter.open()
        meter.start()
        time.sleep(0.03)
        trace = meter.stop()
    assert trace.current_a is not None
    assert trace.voltage_v is not None
    return float(trace.current_a.mean()), float(trace.voltage_v.mean()), trace


DIE = {"ina226": (0xFF, 0x2260), "ina228": (0x3F, 0x2281), "ina260": (0xFF, 0x2270)}
CASES = {
    # SBOS448: shunt 0x1F40 is 8000 x 10 uV; bus 0x5D98 >> 3 is 2995 x 4 mV
    "ina219": ({1: "1f40", 2: "5d98"}, {}, 0.8, 11.98),
    "ina219 below zero": ({1: "e0c0", 2: "5d98"}, {"shunt_ohm": 0.1}, -0.8, 11.98),
    "ina219 other shunt": ({1: "1f40", 2: "1f42"}, {"shunt_ohm": 0.01}, 8.0, 4.0),
    # SBOS547 8.2: 2 mohm, 10 A: shunt register 8000 (0x1F40), bus 9584 (0x2570) = 11.98 V
    "ina226": ({1: "1f40", 2: "2570"}, {"shunt_ohm": 0.002}, 10.0, 11.98),
    # SBOS656: 10 A is 8000 of 1.25 mA, 11.98 V is 9584 of 1.25 mV
    "ina260": ({1: "1f40", 2: "2570"}, {}, 10.0, 11.98),
    # SBOSA20: 20 bits above four that are nothing: 0x3D090 (250,000) x 312.5 nV = 78.125 mV
    "ina228": ({4: "3d0900", 5: "0f5c20"}, {"shunt_ohm": 0.0078125}, 10.0, 62914 * 195.3125e-6),
    "ina228 below zero": ({4: "c2f700", 5: "0f5c20"}, {"shunt_ohm": 0.0078125}, -10.0, None),
}


@pytest.mark.parametrize("case", CASES)
def test_values_of_the_data_sheets_on_a_fake_bus(bus: type[FakeBus], case: str) -> None:
    registers, given, amps, volts = CASES[case]
    chip = case.split()[0]
    bus.registers = {number: bytes.fromhex(text) for number, text in registers.items()}
    if chip in DIE:
        bus.registers[DIE[chip][0]] = DIE[chip][1].to_bytes(2, "big")
    current, voltage, trace = record(chip=chip, **given)
    assert current == pytest.approx(amps)
    if volts is not None:
        assert voltage == pytest.approx(volts)
    assert (trace.clock, trace.sample, trace.info.scope) == ("host", "instant", "rail")


def test_energy_and_gain_on_a_fake_bus(bus: type[FakeBus]) -> None:
    bus.registers = {1: bytes.fromhex("1f40"), 2: bytes.fromhex("5d98")}
    _, _, trace = record(chip="ina219", address="0x40")
    assert trace.info.name == "ina219 at 0x40 on I2C 1 (ina219)"
    assert trace.info.gain_uncertainty == pytest.approx((0.5**2 + 1) ** 0.5 / 100 / 3**0.5)
    window = window_energy(trace, Span(float(trace.time_s[1]), float(trace.time_s[-2])))
    assert window.mean_power_w == pytest.approx(0.8 * 11.98)


def test_fake_bus_without_the_chip(bus: type[FakeBus]) -> None:
    with pytest.raises(DeviceError, match="does not answer: Remote I/O error") as caught:
        record(chip="ina226", address="0x41")
    assert "i2cdetect" in caught.value.hint
    with pytest.raises(DeviceError, match="ina219 at 0x40 on I2C 9 does not answer: No such file"):
        record(chip="ina219", bus=9)
    bus.registers = {0xFF: b"\x22\x70", 1: b"\0\0", 2: b"\0\0"}
    with pytest.raises(DeviceError, match="the chip at 0x40 is no ina226"):
        record(chip="ina226")


def test_fake_chip_that_is_unplugged_or_at_its_end(bus: type[FakeBus]) -> None:
    bus.registers = {1: b"\x10\0", 2: b"\x10\0"}
    with Meter({"bus": 1, "chip": "ina219", "interval_ms": 1}) as meter:
        meter.open()
        meter.start()
        bus.dead = True
        time.sleep(0.02)
        with pytest.raises(DeviceError, match="cannot be read: Remote I/O error"):
            meter.stop()
    bus.dead = False
    bus.registers = {1: b"\x7d\0", 2: b"\x10\0"}
    with pytest.raises(DeviceError, match="at the end of its range") as caught:
        record(chip="ina219")
    assert caught.value.hint == "use a smaller shunt"


def test_chip_that_the_kernel_holds(tmp_path: Path) -> None:
    for number, label in enumerate(("cpu_thermal", "ina226", "acpitz")):
        folder = tmp_path / f"class/hwmon/hwmon{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{label}\n")
        (folder / "power1_input").write_text("1250000\n")
    with Meter({"root": str(tmp_path), "interval_ms": 1}) as meter:
        meter.open()
        meter.start()
        time.sleep(0.02)
        trace = meter.stop()
    assert trace.info.name == "hwmon1/power1 (ina226)"
    with pytest.raises(DeviceError, match="holds no such chip"):
        Meter({"root": str(tmp_path), "source": "hwmon0/power1"}).open()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bus": 1}, "which chip is it"),
        ({"bus": 1, "chip": "ina999"}, "no chip 'ina999'"),
        ({"bus": 1, "chip": "ina219", "address": "high"}, "no I2C address 'high'"),
        ({"bus": 1, "chip": "ina219", "address": "0x99"}, "no I2C address '0x99'"),
        ({"bus": 1, "chip": "ina219", "shunt_ohm": 0}, "shunt_ohm must be above zero"),
        ({"bus": "one", "chip": "ina219"}, "not a whole number"),
    ],
)
def test_options_that_cannot_be(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Meter(given)


def test_package_of_the_bus_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ina2xx, "I2C", Needs(modules=("no_such_module",), extra="i2c"))
    with pytest.raises(MissingExtra, match="smbus2") as caught:
        Meter({"bus": 1, "chip": "ina219"})
    assert "[i2c]" in caught.value.hint
