"""What Android's services and properties say, read from the text that they print."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

THERMAL = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
"""Of android.os.PowerManager, THERMAL_STATUS_*."""

_PROPERTY = re.compile(r"^\[([^]]+)\]: \[(.*?)\]\s*$", re.MULTILINE)
_TEMPERATURE = re.compile(r"Temperature\{mValue=(-?[\d.]+), mType=-?\d+, mName=([^,}]+),")
_CHARGING = {"2": True, "3": False, "4": False, "5": False}
"""BatteryManager.BATTERY_STATUS_*: charging, discharging, not charging, full; 1 is unknown."""


@dataclass(frozen=True)
class Thermal:
    """What `dumpsys thermalservice` says.

    Attributes:
        status: 0 (none) to 6 (shutdown): how much the system is held back; see `THERMAL`.
        temperatures_c: Of the sensors now, by name.
    """

    status: int
    temperatures_c: Mapping[str, float]

    @property
    def name(self) -> str:
        """Of the status."""
        return THERMAL[self.status] if self.status < len(THERMAL) else str(self.status)


def parse_thermal(text: str) -> Thermal | None:
    """Thermal status and temperatures; None where there is no such service (before Android 10)."""
    status = re.search(r"^\s*Thermal Status: (\d+)", text, re.MULTILINE)
    if status is None:
        return None
    # those that were cached by the service are older than those of the sensors
    current = text.partition("Current temperatures from HAL:")[2] or text
    current = current.partition("Current cooling devices")[0]
    found = _TEMPERATURE.findall(current)
    return Thermal(int(status[1]), {name.strip(): float(value) for value, name in found})


def parse_charging(text: str) -> bool | None:
    """Whether `dumpsys battery` says that a battery is being charged; None where it does not."""
    status = re.search(r"^\s*status: (\d+)", text, re.MULTILINE)
    return None if status is None else _CHARGING.get(status[1])


def parse_properties(text: str) -> dict[str, str]:
    """What `getprop` prints, by name."""
    return dict(_PROPERTY.findall(text))
