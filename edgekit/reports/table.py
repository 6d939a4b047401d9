"""The report in a terminal: verdicts, headlines, and each section as bars or a table."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from edgekit.reports._format import WORDS, beside, cell, figure
from edgekit.reports.base import Cell, Figure, Report, Section, State, Subject

MOST_ROWS = 16
"""Of a section; the other formats have more."""
WIDTH, BARS = 100, 24
"""Columns where there is no terminal; of a bar."""
_COLOURS: dict[State, str] = {"pass": "green", "warn": "yellow", "fail": "red", "unknown": "dim"}
_DRAWN = {"bars": 3, "distribution": 2, "front": 1}
"""Kind of section -> the column that is drawn as bars."""
_TRAILING, _RESET = re.compile(r"(?: |\x1b\[[\d;]*m)+$"), "\x1b[0m"
"""Spaces up to the end of a line and colours between them -> back to the terminal's own."""
_LEFT_OUT = ("trace", "memory")
"""Kinds that are pictures or nothing."""


def render(report: Report) -> str:
    """The text, with colours, as wide as the terminal is."""
    text = io.StringIO()
    width = shutil.get_terminal_size((WIDTH, 24)).columns
    console = Console(file=text, width=width, force_terminal=True, color_system="standard")
    for part in _parts(report):
        console.print(part)
    return "".join(f"{_TRAILING.sub(_RESET, line)}\n" for line in text.getvalue().splitlines())


def _parts(report: Report) -> Iterator[RenderableType]:
    for subject in report.subjects:
        yield from _subject(subject)
    for section in report.sections:
        if section.kind not in _LEFT_OUT:
            yield from _section(section)
    left_out = [section.title for section in report.sections if section.kind in _LEFT_OUT]
    if left_out:
        yield Text(f"only in a page (--html FILE): {', '.join(left_out)}", style="dim")


def _subject(subject: Subject) -> Iterator[RenderableType]:
    yield Text(subject.name, style=f"bold {_COLOURS[subject.state]}")
    yield Text(subject.title, style="dim")
    if subject.checks:
        yield _checks(subject)
    yield Text()
    if subject.figures:
        yield _figures(subject.figures)
        yield Text()


def _checks(subject: Subject) -> Table:
    grid = _grid("left")
    for check in subject.checks:
        told = Text(check.text)
        if check.hint and check.state != "pass":
            told.append(f"\n{check.hint}", style="dim")
        word = Text(WORDS[check.state], style=_COLOURS[check.state])
        grid.add_row(Text(check.name), word, told)
    return grid


def _figures(figures: Sequence[Figure]) -> Table:
    grid = _grid("right")
    for found in figures:
        more = " ".join(filter(None, (beside(found), f"({found.method})")))
        value = Text(figure(found), style="bold")
        grid.add_row(Text(found.title), value, Text(more, style="dim"))
    return grid


def _grid(middle: str) -> Table:
    """Three columns, of which the last gives way."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, justify="right" if middle == "right" else "left")
    grid.add_column()
    return grid


def _section(section: Section) -> Iterator[RenderableType]:
    about = f"{section.subject}: " if section.subject else ""
    yield Text(about + section.title, style="bold")
    yield Text(f"{section.method}: {section.by}", style="dim")
    yield _table(section)
    left = len(section.rows) - MOST_ROWS
    if left > 0:
        yield Text(f"{left:,} more rows: --html or --json", style="dim")
    yield Text()


def _table(section: Section) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in section.columns:
        numeric = _numeric([row[column.key] for row in section.rows])
        head = Text(f"{column.title}, {column.unit}" if column.unit else column.title)
        table.add_column(head, justify="right" if numeric else "left", overflow="fold")
    bars = _bars(section)
    if bars:
        table.add_column(no_wrap=True, min_width=BARS)
    for index, row in enumerate(section.rows[:MOST_ROWS]):
        cells = [Text(cell(row[column.key])) for column in section.columns]
        table.add_row(*cells, *([Text(bars[index], style="cyan")] if bars else []))
    return table


def _bars(section: Section) -> list[str]:
    """A bar for each row, against the largest."""
    place = _DRAWN.get(section.kind)
    if place is None:
        return []
    values = [_size(row[section.columns[place].key]) for row in section.rows]
    most = max([*values, 0.0])
    return ["█" * round(BARS * value / most) if most > 0 else "" for value in values]


def _size(value: Cell) -> float:
    return max(float(value), 0.0) if isinstance(value, int | float) else 0.0


def _numeric(values: Sequence[Cell]) -> bool:
    given = [value for value in values if value is not None]
    numbers = (isinstance(one, int | float) and not isinstance(one, bool) for one in given)
    return bool(given) and all(numbers)
