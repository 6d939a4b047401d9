"""`edgekit devices`: drivers and meters, what is plugged in, and the names of the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.cli._table import fold


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
    drivers = [
        {**_facts(name, find_driver(name)), "figures": sorted(find_driver(name).figures)}
        for name in driver_names()
    ]
    meters = [_facts(name, find_meter(name)) for name in meter_names()]
    mine = {
        "path": str(found.path) if found.path else None,
        "devices": {name: {"driver": e.driver, **e.options} for name, e in found.devices.items()},
        "meters": {name: {"driver": e.driver, **e.options} for name, e in found.meters.items()},
    }
    if as_json:
        emit({"devices": drivers, "meters": meters, "lab": mine})
        return
    _section("Devices", drivers)
    _section("Power meters", meters)
    _lab(mine)


def _facts(name: str, kind: Any) -> dict[str, Any]:
    lacking = kind.needs.lacking()
    return {
        "name": name,
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


def _lab(mine: dict[str, Any]) -> None:
    if mine["path"] is None:
        click.echo("no lab.toml: edgekit devices --help shows one")
        return
    click.secho(mine["path"], bold=True)
    for side in ("devices", "meters"):
        for name, entry in mine[side].items():
            told = ", ".join(f"{key} {value}" for key, value in entry.items())
            click.echo(fold(f"  {name}: {told}", " " * 6))
