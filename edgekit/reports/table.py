"""The report in a terminal: verdicts, headlines, and each section as bars or a table."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence

from edgekit.reports._format import WORDS, beside, cell, figure
from edgekit.reports.base import Cell, Report, Section, State, Subject

MOST_ROWS = 16
"""Of a section; the other formats have more."""
WIDTH = 100
"""Where there is no terminal."""
BARS = 24
_COLOURS: dict[State, str] = {"pass": "green", "warn": "yellow", "fail": "red", "unknown": "dim"}
_BARS = {"bars": 3, "distribution": 2, "front": 1}
"""Kind of section -> the column that is drawn as bars."""
_LEFT_OUT = ("trace", "memory")
"""Kinds that are pictures or nothing."""


def render(report: Report) -> str:
    """The text, with colours, as wide as the terminal is."""
    from rich.console import Console, Group
    from rich.table import Table
    from rich.text import Text

    def subject(one: Subject) -> Group:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True)
        grid.add_column()
        for check in one.checks:
            colour = _COLOURS[check.state]
            told = Text(check.text)
            if check.hint and check.state != "pass":
                told.append(f"\n{check.hint}", style="dim")
            grid.add_row(Text(check.name), Text(WORDS[check.state], style=colour), told)
        figures = Table.grid(padding=(0, 2))
        figures.add_column(no_wrap=True)
        figures.add_column(no_wrap=True, justify="right")
        figures.add_column()
        for f in one.figures:
            more = " ".join(filter(None, (beside(f), f"({f.method})")))
            figures.add_row(Text(f.title), Text(figure(f), style="bold"), Text(more, style="dim"))
        head = Text(one.name, style=f"bold {_COLOURS[one.state]}")
        return Group(head, Text(one.title, style="dim"), grid, Text(), figures, Text())

    def section(one: Section) -> Group:
        about = f"{one.subject}: " if one.subject else ""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        drawn = _bars(one)
        for column in one.columns:
            numeric = _numeric([row[column.key] for row in one.rows])
            unit = f", {column.unit}" if column.unit else ""
            justify = "right" if numeric else "left"
            table.add_column(Text(column.title + unit), justify=justify, overflow="fold")  # type: ignore[arg-type]
        if drawn:
            table.add_column(no_wrap=True, min_width=BARS)
        for index, row in enumerate(one.rows[:MOST_ROWS]):
            cells = [Text(cell(row[column.key])) for column in one.columns]
            table.add_row(*cells, *([Text(drawn[index], style="cyan")] if drawn else []))
        left = len(one.rows) - MOST_ROWS
        note = [Text(f"{left:,} more rows: --html or --json", style="dim")] if left > 0 else []
        how = Text(f"{one.method}: {one.by}", style="dim")
        return Group(Text(about + one.title, style="bold"), how, table, *note, Text())

    text = io.StringIO()
    width = shutil.get_terminal_size((WIDTH, 24)).columns
    console = Console(file=text, width=width, force_terminal=True, color_system="standard")
    for each in report.subjects:
        console.print(subject(each))
    for part in report.sections:
        if part.kind not in _LEFT_OUT:
            console.print(section(part))
    left_out = [part.title for part in report.sections if part.kind in _LEFT_OUT]
    if left_out:
        console.print(Text(f"only in a page (--html FILE): {', '.join(left_out)}", style="dim"))
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _bars(section: Section) -> list[str]:
    """A bar for each row, against the largest."""
    place = _BARS.get(section.kind)
    if place is None:
        return []
    values = [_number(row[section.columns[place].key]) for row in section.rows]
    most = max([*values, 0.0])
    return ["█" * round(BARS * value / most) if most > 0 else "" for value in values]


def _number(value: Cell) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return max(float(value), 0.0) if good else 0.0  # type: ignore[arg-type]


def _numeric(values: Sequence[Cell]) -> bool:
    given = [value for value in values if value is not None]
    return bool(given) and all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in given
    )
