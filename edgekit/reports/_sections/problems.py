"""What build and runs had to say: errors, warnings and notes, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.measure.verdict import CODES
from edgekit.reports._sources import Item, Run
from edgekit.reports.base import Section, columns, rows

COLUMNS = columns(
    ("severity", "severity"), ("where", "where"), ("message", "message"), ("hint", "what to do")
)

_ORDER = ("error", "warning", "note")


def sections(item: Item) -> list[Section]:
    """One, where there is anything."""
    found = item.build.manifest["problems"] if item.build else []
    values = [tuple(one[column.key] for column in COLUMNS) for one in found]
    values += [value for run in item.runs for value in _of(run)]
    if not values:
        return []
    values.sort(key=lambda value: _ORDER.index(value[0]))
    made = rows(COLUMNS, values)
    by = "what build and runs said of themselves"
    title = "What there is to know"
    return [Section("notes", "notes", item.name, title, "counted", by, COLUMNS, made)]


def _of(run: Run) -> Iterator[tuple[str, ...]]:
    """The reasons to doubt a run."""
    for code in run.report["codes"]:
        known = CODES.get(code)
        severity = "error" if known and known.validity == "invalid" else "warning"
        told = (known.what, known.advice) if known else (code, "see the driver that says so")
        yield severity, f"{run.name}: {code}", *told
