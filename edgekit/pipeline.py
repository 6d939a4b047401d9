"""The build loop: from a project to a build for each of its targets."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from edgekit import _discover, preprocess, publish
from edgekit.artifact import REPORT, Build, write_json
from edgekit.errors import EdgekitError, OutputError, TargetError, UsageError
from edgekit.evaluate.metrics import check_name
from edgekit.exporting import export
from edgekit.identity import input_key, repeatable
from edgekit.making import make
from edgekit.manifest import describe, describe_run
from edgekit.plan import Plan, make_plan
from edgekit.problem import refuse
from edgekit.progress import Progress
from edgekit.project import Project
from edgekit.publish import MANIFEST
from edgekit.target.profile import Profile, load_profile
from edgekit.work import Work


def plan_targets(project: Project, root: Path) -> list[Plan]:
    """The plans of a project's targets; nothing is built."""
    work = Work(project, root, Progress())
    return [plan for _, plan in _plans(work)]


def build_targets(
    project: Project, root: Path, progress: Progress, force: bool, resume: bool = False
) -> tuple[list[Build], TargetError | None]:
    """Build each target of a project, sharing the work that is the same.

    Args:
        project: What to build.
        root: Folder that the project's paths are relative to.
        progress: Told what happens.
        force: Build even where nothing changed.
        resume: Go on with compression where an earlier build was stopped.

    Returns:
        The builds that came about, and the first refusal of a target: the others are built
        all the same.

    Raises:
        EdgekitError: What concerns all targets: model, data, options.
    """
    work = Work(project, root, progress, resume)
    plans = _checked_plans(work)
    folders = _folders(work, plans)
    for folder in folders:
        publish.check(folder)
        _spare_model(work.path, folder)
    builds: list[Build] = []
    failure: TargetError | None = None
    for (profile, plan), folder in zip(plans, folders, strict=True):
        with publish.lock(folder, lambda: progress.step("waiting for another build")):
            try:
                builds.append(_build(work, profile, plan, folder, force))
            except TargetError as error:
                failure = failure or error
    if failure is None:
        work.finish()
    return builds, failure


def _checked_plans(work: Work) -> list[tuple[Profile, Plan]]:
    """The plans, after everything that can be refused without loading the model was refused."""
    plans = _plans(work)
    for _, plan in plans:
        refuse(plan.problems, UsageError)
    preprocess.parse(work.project.data.preprocess)
    check_name(work.project.fidelity.metric)
    return plans


def _plans(work: Work) -> list[tuple[Profile, Plan]]:
    targets = work.project.build.targets
    if not targets:
        raise UsageError("no target given", "--target NAME; edgekit targets lists them")
    for name in work.project.build.export:
        _discover.require("exporters", name)
    profiles = [load_profile(_target(name, work.root)) for name in targets]
    return [
        (profile, make_plan(work.project, profile, work.source_format, work.quantized_already))
        for profile in profiles
    ]


def _target(name: str, root: Path) -> str:
    return str(root / name) if name.endswith(".toml") else name


def _build(work: Work, profile: Profile, plan: Plan, folder: Path, force: bool) -> Build:
    key = input_key(work, profile, plan)
    if not force and repeatable(work) and (previous := _unchanged(folder, key)):
        return previous
    began = time.monotonic()
    result = make(work, profile, plan)
    with publish.staged(folder) as stage:
        artifacts, said = export(work, result, stage)
        result = replace(result, said=said)
        manifest = describe(work, result, artifacts, key)
        report = describe_run(work, result, time.monotonic() - began, stage)
        write_json(stage / REPORT, report)
        write_json(stage / MANIFEST, manifest)
    return Build(folder, manifest, report)


def _unchanged(folder: Path, key: str) -> Build | None:
    try:
        build = Build.load(folder)
    except EdgekitError:
        return None
    return build if build.manifest.get("key") == key and not build.damaged() else None


def _folders(work: Work, plans: list[tuple[Profile, Plan]]) -> list[Path]:
    """One target: the output folder itself; several: a folder each below it."""
    output = work.project.build.output
    names = [f"{work.name}-{profile.name}" for profile, _ in plans]
    if len(set(names)) < len(names):
        raise UsageError("the same target is given twice", "give each --target once")
    if output and len(names) == 1:
        return [work.root / output]
    return [work.root / (output or "build") / name for name in names]


def _spare_model(model: Path, folder: Path) -> None:
    if (folder / "model.tflite").resolve() == model.resolve():
        raise OutputError(
            f"{model} is the model itself, and would be overwritten by the one that is built",
            "choose another folder with --output",
        )
