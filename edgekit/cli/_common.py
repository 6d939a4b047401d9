"""What the commands share: the common options, JSON on standard output, tables for people."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import click

VERBOSITY = "edgekit.verbosity"

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON alone on standard output."
)


def _louder(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.meta[VERBOSITY] = 1
        os.environ["EDGEKIT_VERBOSE"] = "1"


def _quieter(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.meta[VERBOSITY] = -1


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add -v, -q and --debug, which every command accepts."""
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks."),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            expose_value=False,
            callback=_quieter,
            help="Print results and errors only.",
        ),
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_louder,
            help="Show what TensorFlow and the converters print, too.",
        ),
    ):
        command = option(command)
    return command


def verbosity() -> int:
    """-1 with -q, 1 with -v, else 0."""
    return int(click.get_current_context().meta.get(VERBOSITY, 0))


def emit(data: Any) -> None:
    """Print `data` as JSON on standard output."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table on standard output; columns whose cells are numbers are aligned right."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, pad_edge=False)
    for index, column in enumerate(columns):
        cells = [row[index] for row in rows if row[index] is not None]
        numeric = bool(cells) and all(isinstance(cell, int | float) for cell in cells)
        grid.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        grid.add_row(*[_cell(value) for value in row])
    console = Console(highlight=False, markup=False)
    console.print(title, style="bold", soft_wrap=True)
    console.print(grid)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)
