"""What all charts of a page share: colours, sizes, axes, tooltips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from edgekit.reports.base import Section

Drawn = Any
"""A chart of Altair, whose methods are typed for its own classes only."""

INK, MUTED, LINE, PAPER = "var(--ink)", "var(--muted)", "var(--line)", "var(--paper)"
MAIN, SECOND, GOOD, BAD = "var(--c1)", "var(--c2)", "var(--good)", "var(--bad)"
STEP, CLOSE, MANY = 26, 17, 30
"""Pixels of a row with what is around it; of one of more rows than `MANY`."""
LABEL = 190
"""Pixels that names of layers may take; the rest is cut, and whole in the tooltip."""


def of_rows() -> Drawn:
    """A chart of the rows of a section."""
    return alt.Chart(alt.NamedData("rows"))


def rules(along: str, names: list[str] | None = None) -> Drawn:
    """The section's marks as lines with their names; None: all."""
    base = alt.Chart(alt.NamedData("marks"))
    if names is not None:
        base = base.transform_filter(alt.FieldOneOfPredicate(field="name", oneOf=names))
    axis = alt.Y("value:Q") if along == "y" else alt.X("value:Q")
    rule = base.mark_rule(color=INK, strokeDash=[4, 3]).encode(axis)
    if along == "y":
        text = base.mark_text(align="right", dy=-6, color=INK).encode(
            axis, x=alt.value("width"), text="name:N"
        )
    else:
        text = base.mark_text(align="left", dx=4, baseline="top", color=INK).encode(
            axis, y=alt.value(2), text="name:N"
        )
    return alt.layer(rule, text)


def tooltips(section: Section) -> list[alt.Tooltip]:
    """Every column with its unit; types are told, for there are no data to find them from."""
    return [
        alt.Tooltip(f"{column.key}:{_type(section, column.key)}", title=titled(*column_text))
        for column in section.columns
        if column.key != "shade"
        for column_text in [(column.title, column.unit)]
    ]


def _type(section: Section, key: str) -> str:
    values = [row[key] for row in section.rows if row[key] is not None]
    numbers = values and all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in values
    )
    return "Q" if numbers else "N"


def titled(title: str, unit: str) -> str:
    """A title with its unit, if there is one."""
    return f"{title}, {unit}" if unit else title


def row_step(rows: int) -> int:
    """Pixels of one of so many rows."""
    return STEP if rows <= MANY else CLOSE


def axis_of_names() -> alt.Axis:
    """An axis of names of layers."""
    return alt.Axis(labelLimit=LABEL, labelOverlap=False, labelPadding=6, ticks=False, domain=False)


def axis_on_top() -> alt.Axis:
    """An axis above the picture."""
    return alt.Axis(orient="top", labelAngle=0, ticks=False, domain=False)


def config() -> Mapping[str, Any]:
    """How every chart looks."""
    axis = {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "labelFlush": False,
        "tickCount": 6,
    }
    return {
        "background": "transparent",
        "font": "system-ui, -apple-system, Segoe UI, Roboto, sans-serif",
        "view": {"stroke": None},
        "axis": axis,
        "legend": {"labelColor": INK, "labelFontSize": 11, "symbolType": "square"},
    }
