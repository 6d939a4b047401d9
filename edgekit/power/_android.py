"""What Android tells of its power, parsed.

ODPM (on-device power monitor) rails, cumulative energy: of the HAL (`dumpsys` of
`android.hardware.power.stats.IPowerStats/default`, lines `[RAIL]:Subsystem  12.34 mWs`; AOSP
hardware/interfaces/power/stats and hardware/google/pixel/powerstats) or of the kernel
(`iio:device*/energy_value`, lines `CH0(T=ms)[RAIL], uWs`).

Battery: `dumpsys battery` says what charges it (AOSP BatteryService); `current_now` should be uA,
above zero where it charges (BatteryManager), and is neither on some phones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.errors import DeviceError

HAL = re.compile(r"^\s*\[(?P<rail>\w+)\]:\S*\s+(?P<energy>[\d.]+) mWs", re.MULTILINE)
KERNEL = re.compile(r"^CH\d+\(T=\d+\)\[(?P<rail>\w+)\], (?P<energy>\d+)", re.MULTILINE)
POWERED = re.compile(r"^\s*(\w+) powered: true", re.MULTILINE)
STATUS = re.compile(r"^\s*status: (\d)", re.MULTILINE)
CHARGING = "2"
LEAST_A, MOST_A = 6e-3, 6.0
"""Between these lies what a phone that computes draws from its battery."""


@dataclass(frozen=True)
class Battery:
    """What feeds a phone.

    Attributes:
        powered: Names of what is plugged in: `AC`, `USB`, `Wireless`, `Dock`.
        charging: Whether the battery fills.
    """

    powered: tuple[str, ...]
    charging: bool


def rails(text: str) -> dict[str, float]:
    """Cumulative energy of each rail in J, of either source; empty where it is neither's text."""
    hal = {m["rail"]: float(m["energy"]) * 1e-3 for m in HAL.finditer(text)}
    return hal or {m["rail"]: float(m["energy"]) * 1e-6 for m in KERNEL.finditer(text)}


def battery(text: str) -> Battery:
    """Of `dumpsys battery`.

    Raises:
        DeviceError: It is not its text.
    """
    status = STATUS.search(text)
    if status is None:
        raise DeviceError("dumpsys battery says nothing of a battery", "choose source = rails")
    return Battery(tuple(POWERED.findall(text)), status[1] == CHARGING)


def volts(raw: float) -> float:
    """A battery's voltage in V, told in uV, mV or V."""
    for unit in (1e-6, 1e-3, 1.0):
        if 2.0 <= raw * unit <= 20.0:
            return raw * unit
    raise DeviceError(f"the battery's voltage cannot be {raw:g}", "choose source = rails")


def ampere(currents: Sequence[float]) -> float:
    """What one of `current_now` is in A, above zero where it flows out of a discharging battery.

    The sign is that of the median; the unit uA, or mA where uA would be less than a phone draws.

    Raises:
        DeviceError: It is neither.
    """
    import statistics  # devices are listed without it

    median = statistics.median(currents)
    sign = -1.0 if median < 0 else 1.0
    for unit in (1e-6, 1e-3):
        if LEAST_A <= abs(median) * unit <= MOST_A:
            return sign * unit
    raise DeviceError(
        f"current_now of {median:g} is no current that a phone draws",
        "choose source = rails, or measure with a meter in the supply line",
    )
