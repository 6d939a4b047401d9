"""`edgekit devices`: drivers and meters, what is plugged in, and the names of the lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.cli._table import fold
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.equipment import Equipment
    from edgekit.harness.lab import Entry


@click.command(name="devices")
@click.option("--lab", type=click.Path(), metavar="FILE", help="Default: lab.toml here, or yours.")
@json_option
@common
def command(lab: str | None, as_json: bool) -> None:
    """List device drivers, power meters, what is plugged in, and the names of your lab.

    \b
    A lab.toml names what is on your desk; then it is `--device pi`:
    [devices.pi]
    driver = "ssh"
    host = "pi@raspberrypi.local"
    """
    from edgekit.devices.base import driver_names, find_driver
    from edgekit.harness.lab import load_lab
    from edgekit.power.base import find_meter, meter_names

    found = load_lab(Path(lab) if lab else None)
    drivers = [_listed(name, find_driver, "device") for name in driver_names()]
    meters = [_listed(name, find_meter, "meter") for name in meter_names()]
    mine = [_entry(name, entry, "device") for name, entry in found.devices.items()]
    mine += [_entry(name, entry, "meter") for name, entry in found.meters.items()]
    if as_json:
        emit([*drivers, *meters, *mine])
        return
    _section("Devices", drivers)
    _section("Power meters", meters)
    _lab(found.path, mine)


def _entry(name: str, entry: Entry, role: str) -> dict[str, Any]:
    return {"name": name, "role": role, "driver": entry.driver, "told": dict(entry.options)}


def _listed(name: str, find: Callable[[str], type[Equipment]], role: str) -> dict[str, Any]:
    """One of another package that is broken hides none of the others."""
    from edgekit.devices.base import Device

    try:
        kind = find(name)
    except UsageError as error:
        broken = {"title": error.message, "lacking": ["what can be imported"], "hint": error.hint}
        none: dict[str, Any] = {"options": {}, "tools": [], "modules": [], "plugged_in": []}
        return {"name": name, "role": role, **broken, **none}
    figures = {"figures": sorted(kind.figures)} if issubclass(kind, Device) else {}
    return {**_facts(name, kind, role), **figures}


def _facts(name: str, kind: type[Equipment], role: str) -> dict[str, Any]:
    lacking = kind.needs.lacking()
    return {
        "name": name,
        "role": role,
        "title": kind.title,
        "options": {key: option.help for key, option in kind.options.items()},
        "tools": list(kind.needs.tools),
        "modules": list(kind.needs.modules),
        "lacking": lacking,
        "hint": kind.needs.hint(),
        "plugged_in": [] if lacking else kind.plugged_in(),
    }


def _section(title: str, facts: list[dict[str, Any]]) -> None:
    click.secho(title, bold=True)
    for one in facts:
        click.secho(f"  {one['name']}", bold=True)
        for text in _lines(one):
            click.echo(fold(f"      {text}", " " * 10))
    click.echo()


def _lines(one: dict[str, Any]) -> list[str]:
    options = [f"{name}: {text}" for name, text in one["options"].items()]
    ready = "ready" if not one["lacking"] else f"lacks {', '.join(one['lacking'])}: {one['hint']}"
    plugged = [f"plugged in: {', '.join(one['plugged_in'])}"] if one["plugged_in"] else []
    return [one["title"], *options, ready, *plugged]


def _lab(path: Path | None, mine: list[dict[str, Any]]) -> None:
    if path is None:
        click.echo("no lab.toml: edgekit devices --help shows one")
        return
    click.secho(str(path), bold=True)
    for entry in mine:
        told = "".join(f", {key} {value}" for key, value in entry["told"].items())
        text = f"  {entry['name']}: {entry['role']}, driver {entry['driver']}{told}"
        click.echo(fold(text, " " * 6))
