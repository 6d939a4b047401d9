"""Quality against each cost, over several builds or the trials of a study: the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.reports._figures import all_figures
from edgekit.reports._format import inside, limit_of
from edgekit.reports._sources import Item, Sources
from edgekit.reports.base import WEAKEST, Figure, Method, Section, columns, rows

COSTS = ("latency_ms", "energy_mj", "flash_as_c", "ram_as_c", "gzip", "bytes", "macs")
MOST = 4
"""Pictures; the others would tell the same."""
QUALITIES = ("accuracy", "agreement", "sqnr_db")
APART = 0.01
"""Share by which costs must differ to be worth a picture."""
_DEVICE = ("latency_ms", "energy_mj")


@dataclass(frozen=True)
class Point:
    """One build: `cost` is better lower, `quality` as `Axis` says."""

    name: str
    cost: float
    quality: float
    state: str = "complete"


@dataclass(frozen=True)
class Axis:
    """What is drawn along one side, and the limit that it has."""

    title: str
    unit: str
    method: Method
    higher: bool = False
    limit: float | None = None


def front_section(
    subject: str, cost: Axis, quality: Axis, points: Sequence[Point], by: str
) -> Section:
    """The picture of one cost; only complete points can be on the front."""
    described = columns(
        ("name", "build"),
        ("cost", cost.title, cost.unit),
        ("quality", quality.title, quality.unit),
        ("state", "state"),
        ("front", "on the front"),
    )
    sign = 1 if quality.higher else -1
    complete = [point for point in points if point.state == "complete"]

    def beaten(one: Point) -> bool:
        return any(
            other.cost <= one.cost
            and sign * other.quality >= sign * one.quality
            and (other.cost, other.quality) != (one.cost, one.quality)
            for other in complete
        )

    values = [
        (p.name, p.cost, p.quality, p.state, p.state == "complete" and not beaten(p))
        for p in points
    ]
    weakest = min(cost.method, quality.method, key=WEAKEST.index)
    names = inside(cost.title), inside(quality.title)
    title = f"{quality.title} against {names[0]}"
    caveat = f"{names[0]} is {cost.method}, {names[1]} {quality.method}"
    made = rows(described, values)
    marks = {limit_of(each.title): each.limit for each in (cost, quality) if each.limit is not None}
    return Section("front", "front", subject, title, weakest, by, described, made, caveat, marks)


def sections(sources: Sources) -> list[Section]:
    """One for each cost that two or more builds have and differ in."""
    known = [(item, _figures(item)) for item in sources.items if item.build]
    for name in QUALITIES:
        # a metric without a unit is one of which it is not known which way is better
        judged = [pair for pair in known if name in pair[1] and pair[1][name].unit]
        if len(judged) > 1:
            found = [_section(name, cost, judged) for cost in COSTS]
            return [section for section in found if section][:MOST]
    return []


def _section(
    name: str, cost: str, judged: Sequence[tuple[Item, dict[str, Figure]]]
) -> Section | None:
    found = [(item, figures) for item, figures in judged if cost in figures]
    if cost in _DEVICE:
        found = _of_one_device(found)
    values = [figures[cost].value for _, figures in found]
    if len(values) < 2 or max(values) - min(values) < APART * max(values):
        return None
    points = [Point(item.name, f[cost].value, f[name].value) for item, f in found]
    axes = [_axis([figures[key] for _, figures in found]) for key in (cost, name)]
    by = found[0][1][name].by.partition(";")[0]
    return front_section("", axes[0], axes[1], points, by)


def _of_one_device(
    found: Sequence[tuple[Item, dict[str, Figure]]],
) -> list[tuple[Item, dict[str, Figure]]]:
    """Times of different devices are not compared: those of the one that most were run on."""
    devices = [item.runs[0].report["device"] for item, _ in found]
    most = max(devices, key=devices.count, default="")
    return [pair for pair, device in zip(found, devices, strict=True) if device == most]


def _axis(figures: Sequence[Figure]) -> Axis:
    first = figures[0]
    method = min((figure.method for figure in figures), key=WEAKEST.index)
    return Axis(first.title, first.unit, method, first.name in QUALITIES)


def _figures(item: Item) -> dict[str, Figure]:
    """By name; where several runs have a figure, the first."""
    return {figure.name: figure for figure in reversed(all_figures(item))}
