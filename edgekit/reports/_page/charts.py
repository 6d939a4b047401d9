"""The chart of each kind of section, as a Vega-Lite specification made with Altair.

Why this library: it is kept (Vega and Altair release several times a year), a chart is data and no
code, so that what a page shows can be read and compared; `vl-convert` brings its whole JavaScript,
so that a page needs no network; and it draws SVG with labels for screen readers, which scales,
prints and follows the colours of the page's style sheet. Plotly's bundle is five times as large,
and Matplotlib's pictures hold no data.

A specification names its data `rows` and `marks`: the page hands in those of the section, so that
what is drawn is what the JSON of the report says. Colours are CSS variables of `style.css`, by
which a chart follows light, dark and print without being drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import altair as alt

from edgekit.reports._format import limit_of
from edgekit.reports.base import Cell, Section

Drawn = Any
"""A chart of Altair, whose methods are typed for its own classes only."""

INK, MUTED, LINE, PAPER = "var(--ink)", "var(--muted)", "var(--line)", "var(--paper)"
MAIN, SECOND, GOOD, BAD = "var(--c1)", "var(--c2)", "var(--good)", "var(--bad)"
HEAT = [f"var(--h{number})" for number in range(7)]
SERIES = [f"var(--c{number})" for number in range(1, 9)]
STEP, CLOSE, MANY = 26, 17, 30
"""Pixels of a row with what is around it; of one of more rows than `MANY`."""
LARGE = 0.15
"""Share of the arena from which on a value has its name in the picture."""
FEW = 8
"""Points that all have their names beside them."""
NEAR = 1.5
"""How far from all points a limit may be and is drawn, as a multiple of what they span."""
LABEL = 190
"""Pixels that names of layers may take; the rest is cut, and whole in the tooltip."""


def chart(section: Section) -> dict[str, Any] | None:
    """The specification of a section; None where its kind has no picture."""
    draw = _KINDS.get(section.kind)
    if draw is None or not section.rows:
        return None
    drawn = draw(section).properties(width="container").configure(**_config())
    spec: dict[str, Any] = drawn.to_dict()
    spec.pop("$schema")  # its address is no file that the page could ask for
    spec["description"] = f"{section.title}. {section.by}"
    return spec


def _waterfall(section: Section) -> Drawn:
    tooltip = [
        alt.Tooltip("step:N"),
        alt.Tooltip("measure:N", title="size of"),
        alt.Tooltip("before:Q", format=",", title="before, B"),
        alt.Tooltip("after:Q", format=",", title="after, B"),
        alt.Tooltip("change:Q", format="+,", title="change, B"),
    ]
    base = _chart().encode(
        y=alt.Y("step:N", sort=None, title=None),
        yOffset=alt.YOffset("measure:N", sort=None),
        tooltip=tooltip,
    )
    colour = alt.Color(
        "measure:N",
        sort=None,
        scale=alt.Scale(range=[MAIN, SECOND]),
        legend=alt.Legend(title=None, orient="top", symbolOpacity=1),
    )
    ghost = base.mark_bar(opacity=0.22).encode(x=alt.X("after:Q", title="bytes"), color=colour)
    change = base.mark_bar().encode(x=alt.X("before:Q"), x2="after:Q", color=colour)
    return (ghost + change).properties(height=alt.Step(20))


def _bars(section: Section) -> Drawn:
    value = section.columns[3]
    title = f"{value.title}, {value.unit}" if value.unit else value.title
    return (
        _chart()
        .mark_bar(color=MAIN, cornerRadiusEnd=2)
        .encode(
            x=alt.X(f"{value.key}:Q", title=title),
            y=alt.Y("place:N", sort=None, title=None, axis=_names()),
            tooltip=_tooltips(section),
        )
        .transform_calculate(place="datum.index + '  ' + datum.layer")
        .properties(height=alt.Step(_step(len(section.rows))))
    )


def _memory(section: Section) -> Drawn:
    steps = max(int(row["last"] or 0) for row in section.rows) + 1
    blocks = (
        _chart()
        .mark_rect(stroke=PAPER, strokeWidth=1, opacity=0.8)
        .encode(
            x=alt.X(
                "first:Q",
                title="step",
                scale=alt.Scale(domain=[0, steps], nice=False),
                axis=alt.Axis(tickMinStep=1, format="d"),
            ),
            x2="until:Q",
            y=alt.Y("offset:Q", title="bytes of the arena"),
            y2="end:Q",
            color=alt.Color(
                "kind:N",
                sort=["value", "scratch"],
                scale=alt.Scale(domain=["value", "scratch"], range=[MAIN, SECOND]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            tooltip=_tooltips(section),
        )
        .transform_calculate(until="datum.last + 1")
    )
    large = f"datum.bytes > {LARGE} * {max(section.marks.values(), default=0)}"
    names = (
        _chart()
        .transform_filter(large)
        .mark_text(align="left", baseline="top", dx=5, dy=5, fontSize=10, limit=90, color=PAPER)
        .encode(x=alt.X("first:Q"), y=alt.Y("end:Q"), text="name:N")
    )
    return (blocks + names + _rules("y")).properties(height=280)


def _distribution(section: Section) -> Drawn:
    marks = section.marks
    layers: list[Drawn] = []
    if "low" in marks:
        band = alt.Chart(alt.NamedData("span")).mark_rect(color=SECOND, opacity=0.25)
        layers.append(band.encode(x=alt.X("low:Q"), x2="high:Q"))
    counts = (
        _chart()
        .mark_bar(color=MAIN, binSpacing=1)
        .encode(
            x=alt.X("start:Q", bin="binned", title="ms", scale=alt.Scale(zero=False)),
            x2="end:Q",
            y=alt.Y("count:Q", title="inferences"),
            tooltip=_tooltips(section),
        )
    )
    layers.append(counts)
    rule = alt.Chart(alt.NamedData("marks")).transform_filter(
        alt.FieldOneOfPredicate(field="name", oneOf=["median", "p95"])
    )
    layers.append(rule.mark_rule(color=INK, strokeDash=[4, 3]).encode(x=alt.X("value:Q")))
    text = rule.mark_text(align="left", dx=4, baseline="top", color=INK)
    layers.append(text.encode(x=alt.X("value:Q"), y=alt.value(2), text="name:N"))
    return alt.layer(*layers).properties(height=220)


def _trace(section: Section) -> Drawn:
    x = alt.X("time_s:Q", title="s")
    base = _chart()
    windows = (
        base.transform_filter("datum.inside")
        .transform_aggregate(begin="min(time_s)", end="max(time_s)", groupby=["window"])
        .mark_rect(color=SECOND, opacity=0.18)
        .encode(x=alt.X("begin:Q", title="s"), x2="end:Q", tooltip=[alt.Tooltip("window:N")])
    )
    band = base.mark_area(color=MAIN, opacity=0.3).encode(
        x=x,
        y=alt.Y("least_mw:Q", title="mW", scale=alt.Scale(zero=True, nice=4)),
        y2="most_mw:Q",
        detail="window:N",
    )
    line = base.mark_line(color=MAIN, strokeWidth=1.2).encode(
        x=x, y=alt.Y("mean_mw:Q"), detail="window:N"
    )
    return (windows + band + line).properties(height=240)


def _over_time(section: Section) -> Drawn:
    line = (
        _chart()
        .mark_line(color=MAIN, point=alt.OverlayMarkDef(color=MAIN, size=18))
        .encode(
            x=alt.X("time_s:Q", title="s"),
            y=alt.Y("median_ms:Q", title="ms", scale=alt.Scale(zero=False)),
            tooltip=_tooltips(section),
        )
    )
    return (line + _rules("x")).properties(height=220)


def _heat(section: Section) -> Drawn:
    base = (
        _chart()
        .transform_calculate(step="min(6, floor(datum.shade * 7))")
        .encode(
            x=alt.X("level:O", sort=None, title=None, axis=_top()),
            y=alt.Y("layer:N", sort=None, title=None, axis=_names()),
            tooltip=_tooltips(section),
        )
    )
    numbers = list(range(7))
    scale = alt.Scale(domain=numbers, range=HEAT)
    cells = base.mark_rect().encode(color=alt.Color("step:O", scale=scale, legend=None))
    letters = alt.Scale(domain=numbers, range=[f"var(--t{number})" for number in numbers])
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text("metric:Q", format=".4~g"),
        color=alt.Color("step:O", scale=letters, legend=None),
    )
    drawn = alt.layer(cells, text).resolve_scale(color="independent")
    rows = len({row["layer"] for row in section.rows})
    return drawn.properties(height=alt.Step(_step(rows)))


def _front(section: Section) -> Drawn:
    names = {column.key: column for column in section.columns}
    cost, quality = (_title(names[key].title, names[key].unit) for key in ("cost", "quality"))
    x = alt.X("cost:Q", title=cost, scale=alt.Scale(zero=False, nice=True, padding=24))
    scale = alt.Scale(zero=False, nice=True, padding=18)
    y = alt.Y("quality:Q", title=quality, scale=scale, axis=alt.Axis(format=".5~g"))
    front = _chart().transform_filter("datum.front")
    line = front.mark_line(color=MUTED, interpolate="step-after", strokeDash=[4, 3]).encode(
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
        _chart()
        .transform_calculate(
            kind="datum.state != 'complete' ? datum.state :"
            " datum.front ? 'on the front' : 'behind it'"
        )
        .mark_circle(size=90, opacity=0.9)
        .encode(x=x, y=y, color=on, tooltip=_tooltips(section))
    )
    named = _chart() if len(section.rows) <= FEW else front
    names_shown = named.mark_text(align="left", dx=9, dy=-7, color=INK, limit=LABEL).encode(
        x=x, y=y, text="name:N"
    )
    limits = [_rules(along, drawn) for along, drawn in _near(section).items() if drawn]
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


def _history(section: Section) -> Drawn:
    named = {str(row["figure"]) for row in section.rows}
    changed = sorted({str(row["figure"]) for row in section.rows if row["relative"] != 100})
    drawn = alt.FieldOneOfPredicate(field="figure", oneOf=changed or sorted(named))
    return (
        _chart()
        .transform_filter(drawn)
        .mark_line(point=alt.OverlayMarkDef(size=40), strokeWidth=2)
        .encode(
            x=alt.X(
                "build:N", sort=None, title=None, axis=alt.Axis(labelAngle=-20, labelLimit=150)
            ),
            y=alt.Y("relative:Q", title="% of the first", scale=alt.Scale(zero=False, padding=12)),
            color=alt.Color(
                "figure:N",
                sort=None,
                scale=alt.Scale(range=SERIES),
                legend=alt.Legend(title=None, orient="bottom", columns=3),
            ),
            tooltip=_tooltips(section),
        )
        .properties(height=280)
    )


def _rules(along: str, names: list[str] | None = None) -> Drawn:
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


def _chart() -> Drawn:
    return alt.Chart(alt.NamedData("rows"))


def _tooltips(section: Section) -> list[alt.Tooltip]:
    """Every column with its unit; types are told, for there are no data to find them from."""
    return [
        alt.Tooltip(f"{column.key}:{_type(section, column.key)}", title=_title(*column_text))
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


def _title(title: str, unit: str) -> str:
    return f"{title}, {unit}" if unit else title


def _step(rows: int) -> int:
    return STEP if rows <= MANY else CLOSE


def _names() -> alt.Axis:
    return alt.Axis(labelLimit=LABEL, labelOverlap=False, labelPadding=6, ticks=False, domain=False)


def _top() -> alt.Axis:
    return alt.Axis(orient="top", labelAngle=0, ticks=False, domain=False)


def _config() -> Mapping[str, Any]:
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


_KINDS: Mapping[str, Callable[[Section], Any]] = {
    "waterfall": _waterfall,
    "bars": _bars,
    "memory": _memory,
    "distribution": _distribution,
    "trace": _trace,
    "over_time": _over_time,
    "heat": _heat,
    "front": _front,
    "history": _history,
}
