"""Figures as people write them, the same in every format."""

from __future__ import annotations

from edgekit.reports.base import Cell, Column, Figure, State

WORDS: dict[State, str] = {"pass": "pass", "warn": "caution", "fail": "fail", "unknown": "unknown"}
_EXACT = ("B", "MAC")


def number(value: float) -> str:
    """Whole numbers with thousands separated, others to four digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def cell(value: Cell, column: Column | None = None) -> str:
    """A value of a table; `-` where there is none."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    unit = f" {column.unit}" if column and column.unit else ""
    return number(value) + unit


def size(count: float) -> str:
    """Bytes, with the larger unit beside them from a KB (1,024 bytes) on."""
    for unit, name in ((1 << 20, "MB"), (1 << 10, "KB")):
        if count >= unit:
            return f"{count / unit:,.1f}".removesuffix(".0") + f" {name}"
    return f"{int(count):,} B"


def figure(found: Figure) -> str:
    """A headline: the value with its unit."""
    if found.unit == "B":
        return size(found.value)
    return f"{number(found.value)} {found.unit}".rstrip()


def beside(found: Figure) -> str:
    """What stands beside a headline: its interval, and what it is of its limit."""
    parts = []
    if found.unit == "B" and found.value >= 1 << 10:
        parts.append(f"{int(found.value):,} B")
    if found.low is not None and found.high is not None:
        parts.append(f"{found.low:,.3g} to {found.high:,.3g}")
    if found.limit:
        have = size(found.limit) if found.unit == "B" else f"{number(found.limit)} {found.unit}"
        parts.append(f"{100 * found.value / found.limit:.0f} % of {have}")
    return ", ".join(parts)


def inside(title: str) -> str:
    """A title within a sentence: `Flash as C` begins small, `MACs` does not."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def limit_of(title: str) -> str:
    """What the limit of a figure is called where it is drawn."""
    return f"{inside(title)} limit"
