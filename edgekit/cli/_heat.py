"""A sensitivity analysis as tables whose cells are the darker the more a change costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._table import GAP, item
from edgekit.layer_names import short

if TYPE_CHECKING:
    from edgekit.sensitivities.result import Kind, Sensitivity

COLOURS = ("", "yellow", "bright_red", "red")
"""Of the background, from what costs next to nothing to what costs most."""


def print_sensitivity(found: Sensitivity, place: Path) -> None:
    """A table for each kind, and where the files are."""
    from edgekit.sensitivities.result import FILE
    from edgekit.sensitivities.shade import unit

    original = f"{found.original:.4g}{unit(found.metric)}"
    click.secho(
        f"{found.model}: {found.metric} with one layer changed, nothing trained "
        f"(original {original}, {found.samples:,} rows)",
        bold=True,
    )
    for kind in found.kinds:
        click.echo()
        _table(found, kind)
    click.echo()
    file = place if place.suffix == ".json" else place / FILE
    item("files", f"{file}, {file.with_suffix('.svg').name}")


def _table(found: Sensitivity, kind: Kind) -> None:
    from edgekit.sensitivities.result import KINDS
    from edgekit.sensitivities.shade import level, shade

    curves = found.of(kind)
    levels = list(dict.fromkeys(point.level for curve in curves for point in curve.points))
    heads = [level(kind, value) for value in levels]
    size = max(8, *map(len, heads))
    click.secho(f"{kind}: {KINDS[kind]}", bold=True)
    click.echo(GAP.join(head.rjust(size) for head in heads) + f"{GAP}layer")
    names = short([curve.layer for curve in curves])
    for curve, name in zip(curves, names, strict=True):
        drawn = {p.level: _cell(f"{p.metric:.4g}", size, shade(found, p)) for p in curve.points}
        cells = [drawn.get(value, "-".rjust(size)) for value in levels]
        more = f" and {', '.join(short(curve.layers)[1:])}" if len(curve.layers) > 1 else ""
        click.echo(GAP.join(cells) + f"{GAP}{name}{more}")


def _cell(text: str, size: int, dark: float) -> str:
    colour = COLOURS[min(int(dark * len(COLOURS)), len(COLOURS) - 1)]
    cell = text.rjust(size)
    return click.style(cell, bg=colour, fg="black") if colour else cell
