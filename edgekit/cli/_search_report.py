"""What `edgekit search` prints."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from edgekit.cli._table import item, table
from edgekit.search.found import FILE, Found, Point
from edgekit.search.objective import shown
from edgekit.search.space import OFF


def print_search(found: Found) -> None:
    """The front, what ended the other trials, and how to go on."""
    names = _figures(found)
    judged = any(point.evaluation for point in found.front)
    heads = ["trial", *names, *(["evaluation"] if judged else []), "choices"]
    table(
        "Front: within all limits, and none better",
        heads,
        [_row(p, names, judged) for p in found.front],
    )
    click.echo()
    ended = Counter(each.outcome.stage for each in found.tried if each.outcome.stage)
    ruled = ", ".join(f"{count} by {stage}" for stage, count in ended.items())
    item("trials", f"{len(found.tried)} different ones; ruled out: {ruled or 'none'}")
    item("how", _how(found))
    item("took", _took(found.times()))
    first = f"{found.front[0].tried.number:04d}"
    item("builds", f"{found.folder}/builds/{first}; report: {found.folder}/{FILE}")
    item("again", f"edgekit build {found.folder}/trials/{first}.toml --output DIR")


def _figures(found: Found) -> list[str]:
    setup = found.setup
    named = [*(e.name for e in setup.objectives), *(e.name for e in setup.limits)]
    return list(dict.fromkeys(named))


def _row(point: Point, names: list[str], judged: bool) -> list[Any]:
    figures = point.tried.outcome.figures
    cells: list[Any] = [point.tried.number, *(shown(name, figures.get(name)) for name in names)]
    if judged:
        found = point.evaluation
        cells.append(f"{found.built:.2f} ({found.metric}, {found.samples})" if found else None)
    chosen = point.tried.choices.items()
    return [*cells, ", ".join(f"{key}={value}" for key, value in chosen if value != OFF)]


def _how(found: Found) -> str:
    """Where each figure is from."""
    how = found.front[0].tried.outcome.how
    return ", ".join(f"{name} {how[name]}" for name in _figures(found) if name in how)


def _took(times: dict[str, Any]) -> str:
    """What trials took, and what the engine did between them."""
    trials, engine = times["trials_s"], times["engine_s"]
    share = 100 * engine / ((trials + engine) or 1)
    return f"{trials:,.1f} s of trials, {engine:,.1f} s to choose and keep them ({share:.2g} %)"
