"""`lab.toml`: the devices and meters of this desk, by names of one's own.

    [devices.pi]
    driver = "ssh"
    host = "pi@raspberrypi.local"

    [meters.shunt]
    driver = "ina2xx"
    host = "pi@raspberrypi.local"

Facts of a board live in its target, choices of a project in `edgekit.toml`; hosts, ports and serial
numbers live here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgekit._discover import did_you_mean
from edgekit.devices.base import Device, driver_names, find_driver
from edgekit.equipment import Equipment
from edgekit.errors import UsageError
from edgekit.power.base import PowerMeter, find_meter, meter_names

FILE = "lab.toml"
PLACES = (Path(FILE), Path("~/.config/edgekit") / FILE)
"""Where it is looked for, in this order, unless it is named."""
Side = Literal["devices", "meters"]


@dataclass(frozen=True)
class Entry:
    """One device or meter of the lab: name of its driver, and what the driver is told."""

    driver: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lab:
    """What is on the desk.

    Attributes:
        devices: By name.
        meters: By name.
        path: The file; None where there is none.
    """

    devices: Mapping[str, Entry] = field(default_factory=dict)
    meters: Mapping[str, Entry] = field(default_factory=dict)
    path: Path | None = None

    def device(self, name: str) -> tuple[type[Device], Mapping[str, Any]]:
        """Driver and options of a device of the lab, or of a driver by its own name.

        Raises:
            UsageError: Neither is called so.
        """
        entry = self.devices.get(name)
        if entry is None:
            _known("device", name, [*self.devices, *driver_names()])
            return find_driver(name), {}
        return find_driver(entry.driver), entry.options

    def meter(self, name: str) -> tuple[type[PowerMeter], Mapping[str, Any]]:
        """The same for a meter.

        Raises:
            UsageError: Neither is called so.
        """
        entry = self.meters.get(name)
        if entry is None:
            _known("meter", name, [*self.meters, *meter_names()])
            return find_meter(name), {}
        return find_meter(entry.driver), entry.options


def load_lab(path: Path | None = None) -> Lab:
    """Read the lab.

    Args:
        path: Of the file; None: `lab.toml` here, else `~/.config/edgekit/lab.toml`, else none.

    Raises:
        UsageError: The file cannot be read, or says something that no driver takes.
    """
    found = path or next((place.expanduser() for place in PLACES if _is_there(place)), None)
    if found is None:
        return Lab()
    try:
        content = tomllib.loads(found.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        hint = "README, Measuring on a device, shows one"
        raise UsageError(f"{found} cannot be read: {why}", hint) from error
    for table in content:
        if table not in ("devices", "meters"):
            hint = did_you_mean(table, ("devices", "meters"))
            raise UsageError(f"{found}: [{table}] is unknown", hint)
    return Lab(
        _entries(found, content, "devices"),
        _entries(found, content, "meters"),
        found,
    )


def _is_there(place: Path) -> bool:
    return place.expanduser().is_file()


def _entries(path: Path, content: Mapping[str, Any], side: Side) -> dict[str, Entry]:
    tables = content.get(side, {})
    if not isinstance(tables, dict):
        raise UsageError(f"{path}: {side} is no table", f"write [{side}.NAME]")
    return {name: _entry(path, side, name, table) for name, table in tables.items()}


def _entry(path: Path, side: Side, name: str, table: Any) -> Entry:
    where = f"{path}: [{side}.{name}]"
    known = driver_names() if side == "devices" else meter_names()
    if not isinstance(table, dict) or not isinstance(table.get("driver"), str):
        raise UsageError(f"{where} has no driver", f"driver = one of {', '.join(known)}")
    driver = table["driver"]
    if driver not in known:
        raise UsageError(f"{where}: no driver '{driver}'", did_you_mean(driver, known))
    kind: type[Equipment] = find_driver(driver) if side == "devices" else find_meter(driver)
    options = {key: value for key, value in table.items() if key != "driver"}
    for key, value in options.items():
        if key not in kind.options:
            hint = did_you_mean(key, kind.options) if kind.options else "it takes no option"
            raise UsageError(f"{where}: {driver} takes no option '{key}'", hint)
        kind.options[key].convert(f"{where}: {key}", value)
    return Entry(driver, options)


def _known(kind: str, name: str, names: list[str]) -> None:
    if name not in names:
        raise UsageError(f"no {kind} '{name}'", did_you_mean(name, names))
