"""The files of a build, and what its exporters have to say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgekit import _discover
from edgekit.artifact import Artifact
from edgekit.errors import TargetError
from edgekit.exporters.base import Exporter, ExportInput
from edgekit.plan import Plan
from edgekit.problem import Problem, refuse
from edgekit.result import Result
from edgekit.work import Work


def export(work: Work, result: Result, stage: Path) -> tuple[list[Artifact], tuple[Problem, ...]]:
    """Write the files that the target is given into `stage`.

    Returns:
        The files, and what is to be said about them.

    Raises:
        TargetError: An exporter that the user has asked for cannot write its files; one that only
            the target names is left out with a warning.
    """
    given = ExportInput(
        work.name,
        result.quantized.tflite,
        result.graph,
        result.profile,
        result.verdict.arena_bytes,
        result.made.project,
        result.golden,
        work.sets.preprocess,
        result.labels,
        result.exits,
        result.variants,
    )
    artifacts: list[Artifact] = []
    said: list[Problem] = []
    for name in result.plan.exporters:
        exporter: Exporter = _discover.load("exporters", name)()
        problems = _problems(exporter, given)
        if name in work.project.build.export:
            refuse(problems, TargetError)
        said += [replace(each, severity="warning") if _error(each) else each for each in problems]
        if not any(map(_error, problems)):
            paths = exporter.export(given, stage)
            artifacts += [Artifact.of(exporter.kind, path, stage) for path in paths]
    return artifacts, tuple(said)


def tools(plan: Plan) -> list[str]:
    """Programs that the exporters of a plan use where they are there."""
    exporters = [_discover.load("exporters", name) for name in plan.exporters]
    return sorted({name for exporter in exporters for name in getattr(exporter, "tools", ())})


def _problems(exporter: Exporter, given: ExportInput) -> tuple[Problem, ...]:
    problems = getattr(exporter, "problems", None)
    return tuple(problems(given)) if problems else ()


def _error(problem: Problem) -> bool:
    return problem.severity == "error"
