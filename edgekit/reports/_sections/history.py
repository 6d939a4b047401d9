"""A model across builds: how its figures went from one build to the next, in the order given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from edgekit.artifact import Build
from edgekit.reports._figures import all_figures
from edgekit.reports._sources import Item, Sources
from edgekit.reports.base import WEAKEST, Cell, Section, columns, rows

COLUMNS = columns(
    ("position", "#"),
    ("build", "build"),
    ("figure", "figure"),
    ("value", "value"),
    ("unit", "unit"),
    ("relative", "of the first", "%"),
)
FOLLOWED = (
    *("bytes", "gzip", "flash_as_c", "ram_as_c", "flash_with_runtime", "instructions"),
    *("latency_ms", "energy_mj", "accuracy", "agreement"),
)


def sections(sources: Sources) -> list[Section]:
    """One for each model and target with two builds or more."""
    grouped: dict[tuple[str, str], list[Item]] = {}
    for item in sources.items:
        if item.build:
            grouped.setdefault(_of(item.build), []).append(item)
    return [_section(*key, items) for key, items in grouped.items() if len(items) > 1]


def _of(build: Build) -> tuple[str, str]:
    return str(build.manifest["model"]["path"]), str(build.manifest["target"])


def _section(model: str, target: str, items: list[Item]) -> Section:
    figures = [figure for item in items for figure in all_figures(item) if figure.name in FOLLOWED]
    return Section(
        "history",
        "history",
        "",
        f"{PurePath(model).name} for {target}, build by build",
        min((figure.method for figure in figures), key=WEAKEST.index),
        f"{len(items)} builds in the order in which they were given",
        COLUMNS,
        rows(COLUMNS, list(_values(items))),
        "each figure against that of the first build that has it; those that stayed are not drawn",
    )


def _values(items: list[Item]) -> Iterator[tuple[Cell, ...]]:
    known = [{figure.name: figure for figure in all_figures(item)} for item in items]
    for name in FOLLOWED:
        first = next((figures[name].value for figures in known if name in figures), 0)
        if not first or sum(name in figures for figures in known) < 2:
            continue
        for position, (item, figures) in enumerate(zip(items, known, strict=True), 1):
            if found := figures.get(name):
                relative = round(100 * found.value / first, 4)
                yield position, item.name, found.title, found.value, found.unit, relative
