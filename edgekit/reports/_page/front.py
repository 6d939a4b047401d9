"""The chart of the best trials of a search."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt

from edgekit.reports._format import limit_of
from edgekit.reports._page.drawing import (
    INK,
    LABEL,
    MAIN,
    MUTED,
    SECOND,
    Drawn,
    of_rows,
    rules,
    titled,
    tooltips,
)
from edgekit.reports.base import Cell, Section

FEW = 8
"""Points that all have their names beside them."""
NEAR = 1.5
"""How far from all points a limit may be and is drawn, as a multiple of what they span."""


def front(section: Section) -> Drawn:
    """Points by cost and quality, the line along the best, and limits that are near."""
    names = {column.key: column for column in section.columns}
    cost, quality = (titled(names[key].title, names[key].unit) for key in ("cost", "quality"))
    x = alt.X("cost:Q", title=cost, scale=alt.Scale(zero=False, nice=True, padding=24))
    scale = alt.Scale(zero=False, nice=True, padding=18)
    y = alt.Y("quality:Q", title=quality, scale=scale, axis=alt.Axis(format=".5~g"))
    best = of_rows().transform_filter("datum.front")
    line = best.mark_line(color=MUTED, interpolate="step-after", strokeDash=[4, 3]).encode(
        x=x, y=y, order="cost:Q"
    )
    colours = {"on the front": MAIN, "behind it": MUTED, "over budget": SECOND}
    kinds = [kind for kind in colours if kind in {_front_kind(row) for row in section.rows}]
    on = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=kinds, range=[colours[kind] for kind in kinds]),
        legend=alt.Legend(title=None, orient="top") if len(kinds) > 1 else None,
    )
    points = (
        of_rows()
        .transform_calculate(
            kind="datum.state != 'complete' ? datum.state :"
            " datum.front ? 'on the front' : 'behind it'"
        )
        .mark_circle(size=90, opacity=0.9)
        .encode(x=x, y=y, color=on, tooltip=tooltips(section))
    )
    named = of_rows() if len(section.rows) <= FEW else best
    names_shown = named.mark_text(align="left", dx=9, dy=-7, color=INK, limit=LABEL).encode(
        x=x, y=y, text="name:N"
    )
    limits = [rules(along, drawn) for along, drawn in _near(section).items() if drawn]
    return alt.layer(*limits, line, points, names_shown).properties(height=260)


def _near(section: Section) -> dict[str, list[str]]:
    """Limits by side; one far away is left out, beside it the points could not be told apart."""
    found: dict[str, list[str]] = {"x": [], "y": []}
    for along, key in (("x", "cost"), ("y", "quality")):
        title = next(column.title for column in section.columns if column.key == key)
        limit = section.marks.get(limit_of(title))
        values = [float(row[key] or 0) for row in section.rows]
        low, high = min(values), max(values)
        room = NEAR * ((high - low) or abs(high))
        if limit is not None and low - room <= limit <= high + room:
            found[along].append(limit_of(title))
    return found


def _front_kind(row: Mapping[str, Cell]) -> str:
    """As the picture computes it."""
    if row["state"] != "complete":
        return str(row["state"])
    return "on the front" if row["front"] else "behind it"
