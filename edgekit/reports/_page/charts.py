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

from edgekit.reports._page.drawing import (
    INK,
    MAIN,
    PAPER,
    SECOND,
    Drawn,
    axis_of_names,
    axis_on_top,
    config,
    of_rows,
    row_step,
    rules,
    tooltips,
)
from edgekit.reports._page.front import front
from edgekit.reports.base import Section

HEAT = [f"var(--h{number})" for number in range(7)]
SERIES = [f"var(--c{number})" for number in range(1, 9)]
LARGE = 0.15
"""Share of the arena from which on a value has its name in the picture."""


def chart(section: Section) -> dict[str, Any] | None:
    """The specification of a section; None where its kind has no picture."""
    draw = _KINDS.get(section.kind)
    if draw is None or not section.rows:
        return None
    drawn = draw(section).properties(width="container").configure(**config())
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
    base = of_rows().encode(
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
        of_rows()
        .mark_bar(color=MAIN, cornerRadiusEnd=2)
        .encode(
            x=alt.X(f"{value.key}:Q", title=title),
            y=alt.Y("place:N", sort=None, title=None, axis=axis_of_names()),
            tooltip=tooltips(section),
        )
        .transform_calculate(place="datum.index + '  ' + datum.layer")
        .properties(height=alt.Step(row_step(len(section.rows))))
    )


def _memory(section: Section) -> Drawn:
    steps = max(int(row["last"] or 0) for row in section.rows) + 1
    blocks = (
        of_rows()
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
            tooltip=tooltips(section),
        )
        .transform_calculate(until="datum.last + 1")
    )
    large = f"datum.bytes > {LARGE} * {max(section.marks.values(), default=0)}"
    names = (
        of_rows()
        .transform_filter(large)
        .mark_text(align="left", baseline="top", dx=5, dy=5, fontSize=10, limit=90, color=PAPER)
        .encode(x=alt.X("first:Q"), y=alt.Y("end:Q"), text="name:N")
    )
    return (blocks + names + rules("y")).properties(height=280)


def _distribution(section: Section) -> Drawn:
    marks = section.marks
    layers: list[Drawn] = []
    if "low" in marks:
        band = alt.Chart(alt.NamedData("span")).mark_rect(color=SECOND, opacity=0.25)
        layers.append(band.encode(x=alt.X("low:Q"), x2="high:Q"))
    counts = (
        of_rows()
        .mark_bar(color=MAIN, binSpacing=1)
        .encode(
            x=alt.X("start:Q", bin="binned", title="ms", scale=alt.Scale(zero=False)),
            x2="end:Q",
            y=alt.Y("count:Q", title="inferences"),
            tooltip=tooltips(section),
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
    base = of_rows()
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
        of_rows()
        .mark_line(color=MAIN, point=alt.OverlayMarkDef(color=MAIN, size=18))
        .encode(
            x=alt.X("time_s:Q", title="s"),
            y=alt.Y("median_ms:Q", title="ms", scale=alt.Scale(zero=False)),
            tooltip=tooltips(section),
        )
    )
    return (line + rules("x")).properties(height=220)


def _heat(section: Section) -> Drawn:
    base = (
        of_rows()
        .transform_calculate(step="min(6, floor(datum.shade * 7))")
        .encode(
            x=alt.X("level:O", sort=None, title=None, axis=axis_on_top()),
            y=alt.Y("layer:N", sort=None, title=None, axis=axis_of_names()),
            tooltip=tooltips(section),
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
    return drawn.properties(height=alt.Step(row_step(rows)))


def _history(section: Section) -> Drawn:
    named = {str(row["figure"]) for row in section.rows}
    changed = sorted({str(row["figure"]) for row in section.rows if row["relative"] != 100})
    drawn = alt.FieldOneOfPredicate(field="figure", oneOf=changed or sorted(named))
    return (
        of_rows()
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
            tooltip=tooltips(section),
        )
        .properties(height=280)
    )


_KINDS: Mapping[str, Callable[[Section], Any]] = {
    "waterfall": _waterfall,
    "bars": _bars,
    "memory": _memory,
    "distribution": _distribution,
    "trace": _trace,
    "over_time": _over_time,
    "heat": _heat,
    "front": front,
    "history": _history,
}
