"""What Linux knows of power, as files: powercap (RAPL), hwmon and power_supply.

Documentation/ABI/testing/sysfs-class-powercap, -hwmon and -power of the kernel: `energy_uj` begins
again at `max_energy_range_uj`; hwmon has uW, mA, mV and uJ, power_supply uW, uA and uV.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgekit.power.base import Scope

PACKAGE = re.compile(r"package-\d+")
RAPL = "intel-rapl"


@dataclass(frozen=True)
class Source:
    """Files that together tell the power of one thing.

    Attributes:
        name: As users choose it: `intel-rapl:0`, `hwmon2/power1`, `BAT0`.
        label: What it says it is: `package-0`, `ina226`.
        scope: What its power is of.
        files: File by quantity (`energy`, `power`, `current`, `voltage`), with its unit in SI.
        full_j: What a turn of its counter adds in J; None where it has no end.
        status: File that says `Charging` or `Discharging`, of a battery.
        gain: Relative standard uncertainty; the kernel tells none.
        fed: Whether it was charging when a machine elsewhere was asked.
    """

    name: str
    label: str
    scope: Scope
    files: Mapping[str, tuple[Path, float]] = field(default_factory=dict)
    full_j: float | None = None
    status: Path | None = None
    gain: float = 0.0
    fed: bool = False

    @property
    def quantities(self) -> tuple[str, ...]:
        """What a reading holds."""
        return tuple(self.files)

    def read(self) -> list[float]:
        """Its values now, in the order of `files`.

        Raises:
            OSError: A file cannot be read.
            ValueError: One holds no number.
        """
        return [float(path.read_text()) * scale for path, scale in self.files.values()]

    def charging(self) -> bool:
        """Whether it is a battery that something fills."""
        return self.fed or (self.status is not None and _text(self.status) == "Charging")


def find_sources(root: Path) -> list[Source]:
    """All of them below `root`, which is `/sys`."""
    found = [*_powercap(root), *_hwmon(root), *_batteries(root)]
    return sorted(found, key=lambda source: source.name)


def _powercap(root: Path) -> Iterator[Source]:
    for zone in _folders(root / "class" / "powercap"):
        counter = zone / "energy_uj"
        if not zone.name.startswith(RAPL) or not counter.exists():
            continue
        label = _text(zone / "name")
        scope: Scope = "package" if PACKAGE.fullmatch(label) else "rail"
        scope = "board" if label == "psys" else scope
        full = _text(zone / "max_energy_range_uj")
        full_j = float(full) * 1e-6 if full.isdigit() else None
        yield Source(zone.name, label, scope, {"energy": (counter, 1e-6)}, full_j)


def _hwmon(root: Path) -> Iterator[Source]:
    for chip in _folders(root / "class" / "hwmon"):
        label = _text(chip / "name")
        for path in sorted(chip.glob("power*_input")) + sorted(chip.glob("energy*_input")):
            kind, number = re.findall(r"(power|energy)(\d+)_input", path.name)[0]
            yield Source(f"{chip.name}/{kind}{number}", label, "rail", {kind: (path, 1e-6)})
        if not list(chip.glob("power*_input")):
            yield from _pairs(chip, label)


def _pairs(chip: Path, label: str) -> Iterator[Source]:
    """Current and voltage of one number, of chips that do not multiply them."""
    for current in sorted(chip.glob("curr*_input")):
        voltage = chip / current.name.replace("curr", "in")
        if voltage.exists():
            files = {"current": (current, 1e-3), "voltage": (voltage, 1e-3)}
            yield Source(f"{chip.name}/{current.name[:-6]}", label, "rail", files)


def _batteries(root: Path) -> Iterator[Source]:
    for supply in _folders(root / "class" / "power_supply"):
        if _text(supply / "type") != "Battery":
            continue
        power = {"power": (supply / "power_now", 1e-6)}
        both = {
            "current": (supply / "current_now", 1e-6),
            "voltage": (supply / "voltage_now", 1e-6),
        }
        for files in (power, both):
            if all(path.exists() for path, _ in files.values()):
                status = supply / "status"
                yield Source(supply.name, "battery", "battery", files, status=status)
                break


def _folders(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
