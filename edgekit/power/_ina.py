"""Registers of Texas Instruments' current monitors, from their data sheets.

INA219 SBOS448G, INA226 SBOS547A, INA260 SBOS656C, INA228 SBOSA20A. All are big-endian; the bus
voltage is that of the load side. Current is the shunt's voltage over its resistance, which needs no
calibration register; INA260 has a shunt of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from edgekit.errors import DeviceError
from edgekit.power.base import Scope

ReadRegister = Callable[[int, int], bytes]
"""Bytes of a register, most significant first: its number, how many."""


@dataclass(frozen=True)
class Field:
    """A number in a register.

    Attributes:
        register: Its number.
        size: Bytes.
        drop: Low bits that are no part of it.
        unit: Of its least bit, in V or A.
        signed: Whether it may be below zero.
    """

    register: int
    size: int
    unit: float
    drop: int = 0
    signed: bool = True

    def read(self, bus: ReadRegister) -> float:
        """Its value in V or A."""
        raw = int.from_bytes(bus(self.register, self.size), "big", signed=self.signed)
        return (raw >> self.drop) * self.unit


@dataclass(frozen=True)
class Chip:
    """A kind of monitor.

    Attributes:
        sensed: The shunt's voltage in V; of INA260 the current in A.
        bus: The load's voltage in V.
        gain_percent: Greatest error of the chip's own gain.
        shunt_ohm: Of common breakout boards; 1 where the shunt is inside and A are sensed.
        full: Of `sensed`: what it cannot tell from more.
        identity: Register, number and mask of the die's; None where there is none.
        inside: Whether the shunt is a part of it.
    """

    sensed: Field
    bus: Field
    gain_percent: float
    shunt_ohm: float
    full: float
    identity: tuple[int, int, int] | None = None
    inside: bool = False


CHIPS = {
    "ina219": Chip(Field(1, 2, 10e-6), Field(2, 2, 4e-3, 3, False), 0.5, 0.1, 0.320),
    "ina226": Chip(
        Field(1, 2, 2.5e-6), Field(2, 2, 1.25e-3), 0.1, 0.1, 0.08192, (0xFF, 0x2260, 0xFFF0)
    ),
    "ina228": Chip(
        Field(4, 3, 312.5e-9, 4),
        Field(5, 3, 195.3125e-6, 4),
        0.05,
        0.015,
        0.16384,
        (0x3F, 0x2280, 0xFFF0),
    ),
    "ina260": Chip(
        Field(1, 2, 1.25e-3), Field(2, 2, 1.25e-3), 0.5, 1.0, 40.0, (0xFF, 0x2270, 0xFFF0), True
    ),
}


@dataclass(frozen=True)
class Monitor:
    """One chip on a bus.

    Attributes:
        name: For people.
        label: The chip's.
        chip: Its registers.
        register: Reads one.
        ohm: Of its shunt.
        gain: Relative standard uncertainty of its power.
    """

    name: str
    label: str
    chip: Chip
    register: ReadRegister
    ohm: float
    gain: float
    scope: Scope = "rail"
    quantities: tuple[str, ...] = ("current", "voltage")
    full_j: float | None = None

    def read(self) -> list[float]:
        """Current in A and voltage in V.

        Raises:
            OSError: It does not answer.
            DeviceError: The current is more than it can tell.
        """
        sensed = self.chip.sensed.read(self.register)
        if abs(sensed) >= self.chip.full:
            raise DeviceError(f"{self.name} is at the end of its range", "use a smaller shunt")
        return [sensed / self.ohm, self.chip.bus.read(self.register)]

    def charging(self) -> bool:
        """No battery."""
        return False


def matches(chip: Chip, bus: ReadRegister) -> bool:
    """Whether the die at the other end says that it is one; INA219 cannot say."""
    if chip.identity is None:
        return True
    register, number, mask = chip.identity
    return int.from_bytes(bus(register, 2), "big") & mask == number


def gain(chip: Chip, shunt_percent: float) -> float:
    """Relative standard uncertainty of power: chip and shunt, half widths of rectangles."""
    return math.hypot(chip.gain_percent, 0.0 if chip.inside else shunt_percent) / 100 / math.sqrt(3)
