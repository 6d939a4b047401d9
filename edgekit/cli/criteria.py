"""`edgekit criteria`: the figures that networks are judged by, and where each comes from."""

from __future__ import annotations

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.cli._table import item


@click.command(name="criteria")
@json_option
@common
def command(as_json: bool) -> None:
    """List the figures of reports: unit, definition, source, and where each is found."""
    from edgekit.criteria import CRITERIA

    if as_json:
        emit({"criteria": [criterion.to_json() for criterion in CRITERIA]})
        return
    for one in CRITERIA:
        unit = f" ({one.unit})" if one.unit else ""
        click.secho(f"{one.name}{unit}, {one.better} is better", bold=True)
        item("", one.formula)
        item("", f"{one.place}; {one.source}")
