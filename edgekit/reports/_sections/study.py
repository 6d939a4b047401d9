"""A search: its trials, and quality against each cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from edgekit.reports._sections.front import Axis, Point, front_section
from edgekit.reports._studies import Study, Trial
from edgekit.reports.base import WEAKEST, Cell, Method, Section, columns, rows


def sections(study: Study) -> list[Section]:
    """Pictures of each pair of objectives, then the trials."""
    return [*_fronts(study), _trials(study)]


def _fronts(study: Study) -> Iterator[Section]:
    """The first objective against each other one; of all, as costs lie along the bottom."""
    names = sorted(study.objectives, key=lambda name: study.objectives[name] != "maximize")
    for cost in names[1:]:
        both = names[0], cost
        # figures of trials that ended early are of fewer rows or epochs: not to be compared
        complete = [trial for trial in study.trials if trial.state == "complete"]
        pairs = [trial for trial in complete if all(name in trial.figures for name in both)]
        points = [
            Point(f"trial {t.number}", t.figures[cost], t.figures[names[0]], _state(t))
            for t in pairs
        ]
        if points:
            higher = study.objectives[names[0]] == "maximize"
            quality = replace(_axis(study, names[0], pairs), higher=higher)
            by = f"{len(points):,} trials that were completed"
            yield front_section(study.name, _axis(study, cost, pairs), quality, points, by)


def _axis(study: Study, name: str, trials: list[Trial]) -> Axis:
    title = name[:1].upper() + name[1:]
    unit, limit = study.units.get(name, ""), study.bounds.get(name)
    return Axis(title, unit, _method(trials, name), limit=limit)


def _trials(study: Study) -> Section:
    figures = list(dict.fromkeys(name for trial in study.trials for name in trial.figures))
    described = columns(
        ("number", "#"),
        ("state", "state"),
        *((f"figure_{i}", name, study.units.get(name, "")) for i, name in enumerate(figures)),
        ("choices", "choices"),
        ("stage", "ended in"),
        ("reason", "because"),
        ("folder", "build"),
    )
    values: list[tuple[Cell, ...]] = [
        (
            trial.number,
            _state(trial),
            *(trial.figures.get(name) for name in figures),
            ", ".join(f"{key}={value}" for key, value in trial.choices.items()),
            trial.stage,
            trial.reason,
            trial.folder,
        )
        for trial in study.trials
    ]
    methods = [name for trial in study.trials for name in trial.how.values()]
    method: Method = next((each for each in WEAKEST if each in methods), "measured")
    title, by = "Trials", f"{len(study.trials):,} trials"
    made = rows(described, values)
    return Section("trials", "table", study.name, title, method, by, described, made)


def _state(trial: Trial) -> str:
    return "over budget" if trial.state == "complete" and not trial.feasible else trial.state


def _method(trials: list[Trial], name: str) -> Method:
    found = {trial.how.get(name, "measured") for trial in trials}
    return next((method for method in WEAKEST if method in found), "measured")
