"""Text for people on standard output, as wide as the terminal; in a pipe nothing is folded."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import click

GAP = "  "
NARROWEST = 12


def width() -> int:
    """Columns of the terminal (or $COLUMNS); 0 where there is none, which means no limit."""
    return shutil.get_terminal_size((0, 0)).columns


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    give: int = -1,
    cut: bool = False,
) -> None:
    """Print a table; columns whose cells are numbers are aligned right.

    Args:
        title: Line above it; none if empty.
        columns: Heads; without any head the line is left out.
        rows: Cells: None is shown as `-`, integers with thousands separated.
        give: The column that gives way in a narrow terminal; the others, which people copy names
            from, are never folded.
        cut: Whether that column is cut to one line instead of folded.
    """
    values = [list(row) for row in rows]
    right = [_numeric(column) for column in zip(*values, strict=True)]
    lines = [[_cell(value) for value in row] for row in values]
    if any(columns):
        lines.insert(0, list(columns))
    widths = _widths(lines, give)
    if title:
        click.secho(title, bold=True)
    align = [str.rjust if numeric else str.ljust for numeric in right or [False] * len(widths)]
    for line in lines:
        for cells in _folded(line, widths, give, cut):
            padded = (put(cell, size) for put, cell, size in zip(align, cells, widths, strict=True))
            click.echo(GAP.join(padded).rstrip())


def item(name: str, text: str) -> None:
    """Print `text` beside its `name`, folded under itself."""
    click.echo(fold(f"{name:<11} {text}", " " * 12))


def fold(text: str, indent: str) -> str:
    """`text` in lines that fit the terminal, the second and later ones indented."""
    columns = width()
    if not columns:
        return text
    return textwrap.fill(
        text,
        max(columns, len(indent) + NARROWEST),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )


def _widths(lines: Sequence[Sequence[str]], give: int) -> list[int]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    over = sum(widths) + len(GAP) * (len(widths) - 1) - width()
    if widths and width() and over > 0:
        widths[give] = min(widths[give], max(widths[give] - over, NARROWEST))
    return widths


def _folded(line: list[str], widths: list[int], give: int, cut: bool) -> list[list[str]]:
    """One line of cells, or several when the cell that gives way does not fit."""
    text, size = line[give], widths[give]
    if len(text) <= size:
        return [line]
    short = [f"{text[: size - 3]}..."]
    parts = short if cut else textwrap.wrap(text, size, break_on_hyphens=False)
    place = give % len(line)
    return [
        [part if index == place else ("" if later else cell) for index, cell in enumerate(line)]
        for later, part in enumerate(parts)
    ]


def _numeric(cells: Sequence[Any]) -> bool:
    given = [cell for cell in cells if cell is not None]
    return bool(given) and all(isinstance(cell, int | float) for cell in given)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)
