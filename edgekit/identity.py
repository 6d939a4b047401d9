"""What a build depends on, hashed and named: by relative paths, the same on every machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgekit import __version__
from edgekit._functions import module_of
from edgekit._plan_compress import pass_files
from edgekit.artifact import digest
from edgekit.data.spec import Spec, parse
from edgekit.importers._source import hash_source
from edgekit.plan import Plan
from edgekit.problem import Problem
from edgekit.source import Source
from edgekit.target.profile import Profile
from edgekit.versions import versions


def input_key(work: Source, profile: Profile, plan: Plan, tools: Iterable[str]) -> str:
    """Hash of everything a build depends on: the same key gives the same manifest.

    Args:
        work: The project and its model.
        profile: The target.
        plan: Of the build.
        tools: Programs that its exporters use where they are there.
    """
    names = work.project.model.labels
    return digest(
        {
            "edgekit": __version__,
            "versions": versions(),
            "profile": profile.to_json(),
            "plan": plan.steps_json(),
            "project": project_json(work, profile),
            "model": work.source_sha256,
            "data": [hash_source(spec.path) for spec in _specs(work) if not spec.module],
            "labels": hash_source(work.root / names) if names else "",
            "analysis": _analysis(work),
            "code": [hash_source(path) for path in _code(work)],
            "files": [hash_source(work.root / name) for name in pass_files(work.project)],
            "tools": {name: bool(shutil.which(name)) for name in sorted(tools)},
        }
    )


def relative(path: str, root: Path) -> str:
    """`path` relative to `root`, as the manifest stores it."""
    return os.path.relpath(root / path, root)


def located(problem: Problem, work: Source) -> Problem:
    """`problem` with the place it is about relative to the root."""
    where = problem.where
    data = work.project.data
    if where in (*data.calibration, *data.training, *data.evaluation):
        return replace(problem, where=relative_spec(where, work.root))
    if os.path.isabs(where):
        return replace(problem, where=relative(where, work.root))
    return problem


def project_json(work: Source, profile: Profile) -> dict[str, Any]:
    """The project for one target with every path relative to the root; the output left out."""
    root, data = work.root, work.project.data
    names = work.project.model.labels
    labels = {"labels": relative(names, root)} if names else {}
    analysis = work.project.quantize.sensitivity
    target = next(name for name in work.project.build.targets if Path(name).name in _names(profile))
    return (
        work.project.with_table("model", path=relative(work.project.model.path, root), **labels)
        .with_table(
            "data",
            calibration=tuple(relative_spec(text, root) for text in data.calibration),
            training=tuple(relative_spec(text, root) for text in data.training),
            evaluation=tuple(relative_spec(text, root) for text in data.evaluation),
        )
        .with_table("quantize", sensitivity=relative(analysis, root) if analysis else None)
        .with_table(
            "build",
            targets=(relative(target, root) if target.endswith(".toml") else target,),
            output="",
        )
        .to_json()
    )


def _names(profile: Profile) -> tuple[str, ...]:
    return profile.name, f"{profile.name}.toml", *profile.aliases


def repeatable(work: Source) -> bool:
    """Whether the key says everything: it cannot know what a Python function yields or measures."""
    return not any(spec.module for spec in _specs(work)) and not _measures(work)


def _analysis(work: Source) -> str:
    """Hash of the sensitivity analysis that the project names."""
    path = work.root / work.project.quantize.sensitivity
    return hash_source(path) if work.project.quantize.sensitivity and path.exists() else ""


def _specs(work: Source) -> list[Spec]:
    data = work.project.data
    texts = (*data.calibration, *data.training, *data.evaluation)
    return [parse(text, work.root) for text in texts]


def _measures(work: Source) -> list[str]:
    """Functions that passes measure with."""
    given = [entry.options.get("measure") for entry in work.project.compress]
    return [name for name in given if name]


def _code(work: Source) -> list[Path]:
    """Files of the user's modules in the project's folder: custom layers, metric, data, measure."""
    functions = [work.project.fidelity.metric, *_measures(work)]
    names = [*work.project.model.modules, *map(module_of, functions)]
    names += [spec.module for spec in _specs(work)]
    files = [work.root / f"{name.replace('.', '/')}.py" for name in names if name]
    return [file for file in files if file.is_file()]


def relative_spec(text: str, root: Path) -> str:
    """The DATA option with its path relative to `root`."""
    spec = parse(text, root)
    if spec.module:
        return text
    path = os.path.relpath(spec.path, root)
    selector = f":{spec.array}" if spec.array or spec.labels else ""
    labels = f",{spec.labels}" if spec.labels else ""
    return f"{path}{selector}{labels}{_slice(spec)}"


def _slice(spec: Spec) -> str:
    if spec.start is None and spec.stop is None:
        return ""
    start, stop = ("" if end is None else end for end in (spec.start, spec.stop))
    return f"[{start}:{stop}]"
