"""`edgekit devices`: the drivers, what each finds out, and whether its tools are here."""

from __future__ import annotations

from typing import Any

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.cli._table import fold


@click.command(name="devices")
@json_option
@common
def command(as_json: bool) -> None:
    """List the device drivers, and whether their tools are installed."""
    from edgekit.devices.base import driver_names

    drivers = [_facts(name) for name in driver_names()]
    if as_json:
        emit(drivers)
        return
    for one in drivers:
        click.secho(one["name"], bold=True)
        for text in _lines(one):
            click.echo(fold(f"    {text}", " " * 8))


def _facts(name: str) -> dict[str, Any]:
    from edgekit.devices.base import find_driver

    driver = find_driver(name)
    return {
        "name": name,
        "title": driver.title,
        "figures": sorted(driver.figures),
        "options": {key: option.help for key, option in driver.options.items()},
        "tools": list(driver.needs.tools),
        "modules": list(driver.needs.modules),
        "lacking": driver.needs.lacking(),
        "hint": driver.needs.hint(),
    }


def _lines(one: dict[str, Any]) -> list[str]:
    options = [f"--{name}: {text}" for name, text in one["options"].items()]
    ready = "ready" if not one["lacking"] else f"lacks {', '.join(one['lacking'])}: {one['hint']}"
    return [one["title"], *options, ready]
