"""The library face: `edgekit.build` and its keyword arguments as a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgekit.artifact import Build
from edgekit.pipeline import build_targets
from edgekit.progress import Progress
from edgekit.project import Project, from_mapping
from edgekit.timing import Timer

BUDGET = {
    "max_drop": "accuracy_drop",
    "min_agreement": "agreement",
    "min_sqnr": "sqnr",
    "strict": "strict",
    "ladder": "ladder",
}
"""Options of `build` -> keys of `[budget]`."""


def build_one(model: str | Path, target: str, **options: Any) -> Build:
    """`edgekit.build`: see there."""
    return build_many(model, [target], **options)[0]


def build_many(
    model: str | Path,
    targets: list[str],
    *,
    force: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
    timer: Timer | None = None,
    **options: Any,
) -> list[Build]:
    """`edgekit.build_all`: see there."""
    project = _project(model, targets, options)
    progress = progress or Progress()
    builds, failure = build_targets(project, Path.cwd(), progress, force, resume, timer)
    if failure is not None:
        raise failure
    return builds


def _project(model: str | Path, targets: list[str], options: dict[str, Any]) -> Project:
    labels, modules = _text(options.pop("labels", None)), options.pop("modules", None)
    project = Project().with_table("model", path=str(model), labels=labels, modules=modules)
    project = project.with_table("build", targets=targets).with_table(
        "fidelity", enabled=options.pop("fidelity", None), metric=options.pop("metric", None)
    )
    project = project.with_table("quantize", scheme=options.pop("quantize", None))
    project = _compression(project, options)
    for setting, value in dict(options.pop("set", None) or {}).items():
        table, _, key = setting.partition(".")
        project = from_mapping({table: {key: value}}, "set", base=project)
    project = project.with_table("compile", optimize=options.pop("optimize", None))
    for key in ("output", "seed", "export"):
        project = project.with_table("build", **{key: _text(options.pop(key, None))})
    return from_mapping({"data": options}, "build()", base=project)


def _compression(project: Project, options: dict[str, Any]) -> Project:
    """With the passes (short form, or tables as in `edgekit.toml`) and the budget."""
    passes = options.pop("compress", None)
    if isinstance(passes, str):
        project = project.with_compress(passes)
        passes = None
    budget = {name: options.pop(option, None) for option, name in BUDGET.items()}
    given = {"compress": passes, "fine_tune": options.pop("fine_tune", None)}
    tables = {name: value for name, value in given.items() if value is not None}
    return from_mapping(tables, "build()", base=project.with_table("budget", **budget))


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
