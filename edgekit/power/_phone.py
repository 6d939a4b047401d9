"""What an Android phone can be asked for over adb: its rails, or its battery."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.devices._adb.client import Adb
from edgekit.errors import DeviceError, UsageError
from edgekit.power._android import battery, rails, volts
from edgekit.power.base import Scope

HAL = "dumpsys android.hardware.power.stats.IPowerStats/default"
KERNEL = "cat /sys/bus/iio/devices/iio:device*/energy_value"
SUPPLY = "/sys/class/power_supply/battery"
CELL = f"cat {SUPPLY}/current_now || cmd battery get current_now; cat {SUPPLY}/voltage_now"
TIMEOUT_S = 10.0
HINT = "see `adb devices`, and allow debugging on the phone"


@dataclass(frozen=True)
class Phone:
    """A phone; `serial` as `adb devices` lists it, None for the only one."""

    serial: str | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"phone {self.serial}" if self.serial else "phone"

    def shell(self, command: str) -> str:
        """What a command prints there; a command that fails prints what it may.

        Raises:
            ConnectionLost: adb does not reach the phone, or it takes too long.
        """
        return Adb("adb", self.serial or "").shell(command, TIMEOUT_S)[1]

    def fed(self) -> tuple[str, ...]:
        """What feeds it besides its battery.

        Raises:
            DeviceError: It does not tell.
        """
        state = battery(self.shell("dumpsys battery"))
        return state.powered or (("a charger",) if state.charging else ())


@dataclass(frozen=True)
class Rails:
    """Cumulative energy of some of its rails, added."""

    phone: Phone
    command: str
    chosen: tuple[str, ...]
    scope: Scope = "rail"
    quantities: tuple[str, ...] = ("energy",)
    full_j: float | None = None
    gain: float = 0.0

    @property
    def name(self) -> str:
        """For people."""
        return self.phone.name

    @property
    def label(self) -> str:
        """Which rails."""
        return f"rails {', '.join(self.chosen)}"

    def read(self) -> list[float]:
        """Their energy in J."""
        known = rails(self.phone.shell(self.command))
        if not known.keys() >= set(self.chosen):
            raise DeviceError(f"{self.name} counts its rails no more", HINT)
        return [sum(known[rail] for rail in self.chosen)]

    def charging(self) -> bool:
        """Whether something feeds the phone; its rails are counted all the same."""
        return bool(self.phone.fed())


@dataclass(frozen=True)
class Cell:
    """Current, in the phone's own unit and sign, and voltage of its battery."""

    phone: Phone
    scope: Scope = "battery"
    quantities: tuple[str, ...] = ("current", "voltage")
    full_j: float | None = None
    gain: float = 0.0
    label: str = "battery"

    @property
    def name(self) -> str:
        """For people."""
        return self.phone.name

    def read(self) -> list[float]:
        """Current as told, voltage in V."""
        text = self.phone.shell(CELL)
        found = re.findall(r"^-?\d+$", text, re.MULTILINE)
        if len(found) != 2:
            hint = "choose source = rails, or measure with a meter in the supply line"
            raise DeviceError(f"{self.name} tells no battery current: {text.strip()[:60]}", hint)
        return [float(found[0]), volts(float(found[1]))]

    def charging(self) -> bool:
        """Whether the battery is not all that feeds the phone."""
        return bool(self.phone.fed())


def find_rails(phone: Phone, chosen: Sequence[str]) -> Rails:
    """Its rails, by the first way that tells any; all, where none is chosen.

    Raises:
        DeviceError: None tells.
        UsageError: A chosen one is not there.
    """
    for command in (HAL, KERNEL):
        known = rails(phone.shell(command))
        if missing := [rail for rail in chosen if known and rail not in known]:
            raise UsageError(f"no rail {', '.join(missing)}", f"there are: {', '.join(known)}")
        if known:
            return Rails(phone, command, tuple(chosen or known))
    hint = "choose source = battery, or measure with a meter in the supply line"
    raise DeviceError(f"{phone.name} counts no rails, or not for its shell", hint)
