"""What a report is, and how to write the next format of one.

A format is a file of this folder with a function `render(report: Report) -> str`: the same report
gives the same text. It reads nothing but the report and computes no figure of its own, so that all
formats say the same; what users named (models, layers, labels, folders) it escapes.

A part of a report is a file of `_sections/`: a function that makes `Section`s, rows of plain
values, from what `_sources.py` read. `_page/charts.py` says how a kind of section is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SCHEMA = 1
SCHEMA_FILE = "report.schema.json"

State = Literal["pass", "warn", "fail", "unknown"]
Method = Literal["counted", "measured", "emulated", "estimated"]
METHODS: Mapping[Method, str] = {
    "counted": "exact, from the files of the build",
    "measured": "observed where it ran, with the spread that it had",
    "emulated": "exact counts of an emulator, which has no clock of the board",
    "estimated": "computed from other figures: not observed anywhere",
}
"""How a figure came about -> what that means."""
WEAKEST: tuple[Method, ...] = ("estimated", "emulated", "measured", "counted")
"""A picture of several figures has the method of the weakest."""
Kind = Literal[
    "front",
    "waterfall",
    "bars",
    "memory",
    "distribution",
    "trace",
    "over_time",
    "heat",
    "history",
    "notes",
    "table",
]
"""Of a section: how it is drawn where there are pictures; `notes` and `table` are not."""
Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Check:
    """A question that has a verdict.

    Attributes:
        name: `fits`, `budget`, `valid`, `outputs`, ...
        state: `pass`, `warn`, `fail`, or `unknown` where nothing was asked or measured.
        text: One line: what is the case.
        hint: One line: what to do; empty where nothing is to be done.
        exit_code: Of `edgekit report` where it fails; 0 where that is no reason to stop.
    """

    name: str
    state: State
    text: str
    hint: str = ""
    exit_code: int = 3


@dataclass(frozen=True)
class Figure:
    """A headline figure.

    Attributes:
        name: In JSON; the same name is the same quantity in every subject.
        title: For people.
        value: The figure.
        unit: Empty for a count or a ratio.
        method: How it came about.
        by: What it was found with, and what it holds.
        limit: The most that there is (memory) or was asked for; None: no limit.
        low: Lower end of its 95 % interval (for energy the expanded uncertainty, k = 2).
        high: Upper end.
    """

    name: str
    title: str
    value: float
    unit: str
    method: Method
    by: str
    limit: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Subject:
    """What is reported on: a build with its runs, a run alone, a study, an analysis.

    Attributes:
        name: Unique in the report.
        kind: `build`, `run`, `study` or `analysis`.
        title: One line: which model, for what.
        checks: The verdict, part by part.
        figures: Headlines.
    """

    name: str
    kind: Literal["build", "run", "study", "analysis"]
    title: str
    checks: tuple[Check, ...] = ()
    figures: tuple[Figure, ...] = ()

    @property
    def state(self) -> State:
        """The worst of the checks that have an answer."""
        found = {check.state for check in self.checks}
        order: tuple[State, ...] = ("fail", "warn", "pass")
        return next((state for state in order if state in found), "unknown")


@dataclass(frozen=True)
class Column:
    """A column of a section's rows.

    Attributes:
        key: In the rows.
        title: For people.
        unit: Of its numbers; empty for text, counts and ratios.
    """

    key: str
    title: str
    unit: str = ""


@dataclass(frozen=True)
class Section:
    """Rows that make one picture or table.

    Attributes:
        name: Unique in the report; letters, digits and `-`.
        kind: How it is drawn.
        subject: Name of the subject it is about; empty: of all.
        title: For people.
        method: How its figures came about.
        by: What they were found with.
        columns: Of the rows, in order.
        rows: Plain values by the keys of the columns.
        caveat: What a reader must not conclude; may be empty.
        marks: Figures that are drawn across it, by name.
    """

    name: str
    kind: Kind
    subject: str
    title: str
    method: Method
    by: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Cell], ...]
    caveat: str = ""
    marks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """All of it.

    Attributes:
        title: For people.
        subjects: In the order in which they were given.
        sections: In the order in which they are read.
    """

    title: str
    subjects: tuple[Subject, ...]
    sections: tuple[Section, ...] = ()

    @property
    def state(self) -> State:
        """The worst of the subjects that have an answer."""
        checks = tuple(check for subject in self.subjects for check in subject.checks)
        return Subject("", "build", "", checks).state

    @property
    def exit_code(self) -> int:
        """0, or the highest of the checks that fail: 3 where a build does not fit or a budget is
        broken, 4 where a device computed something else."""
        failed = (c for subject in self.subjects for c in subject.checks if c.state == "fail")
        return max((check.exit_code for check in failed), default=0)

    def to_json(self) -> dict[str, Any]:
        """As `report.schema.json` describes it."""
        return {
            "schema": SCHEMA,
            "title": self.title,
            "state": self.state,
            "exit_code": self.exit_code,
            "subjects": [{**asdict(each), "state": each.state} for each in self.subjects],
            "sections": [_section(each) for each in self.sections],
        }


def columns(*described: Sequence[str]) -> tuple[Column, ...]:
    """Columns from (key, title) or (key, title, unit)."""
    return tuple(Column(*each) for each in described)


def rows(
    columns: Sequence[Column], values: Sequence[Sequence[Cell]]
) -> tuple[dict[str, Cell], ...]:
    """Rows from tuples in the order of the columns; what is no number becomes None."""
    keys = [column.key for column in columns]
    return tuple(dict(zip(keys, map(_finite, each), strict=True)) for each in values)


def _finite(value: Cell) -> Cell:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _section(section: Section) -> dict[str, Any]:
    return {
        **asdict(section),
        "rows": [dict(row) for row in section.rows],
        "marks": dict(section.marks),
    }
