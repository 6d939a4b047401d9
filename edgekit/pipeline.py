"""The build loop: from a project to a build for each of its targets."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit import _discover, publish
from edgekit._plan_compress import pass_files, with_relative_files
from edgekit.artifact import REPORT, Build, write_json
from edgekit.errors import EdgekitError, OutputError, TargetError, UsageError
from edgekit.identity import input_key, repeatable
from edgekit.importers._source import detect
from edgekit.plan import Plan, make_plan
from edgekit.problem import refuse
from edgekit.progress import Progress
from edgekit.project import Project
from edgekit.publish import MANIFEST
from edgekit.source import Source
from edgekit.target.profile import Profile, load_profile
from edgekit.timing import Timer

if TYPE_CHECKING:
    from edgekit.model import Model
    from edgekit.work import Work


def plan_targets(project: Project, root: Path) -> list[Plan]:
    """The plans of a project's targets; nothing is built."""
    project = with_relative_files(project, root)
    return [plan for _, plan in _plans(Source(project, root))]


def build_targets(
    project: Project,
    root: Path,
    progress: Progress,
    force: bool,
    resume: bool = False,
    timer: Timer | None = None,
    settled: str = "",
    model: Model | None = None,
) -> tuple[list[Build], TargetError | None]:
    """Build each target of a project, sharing the work that is the same.

    Args:
        project: What to build.
        root: Folder that the project's paths are relative to.
        progress: Told what happens.
        force: Build even where nothing changed.
        resume: Go on with compression where an earlier build was stopped.
        timer: Says how fast builds are, where one of several is to be chosen.
        settled: The number format that was chosen before, where it is not to be chosen again.
        model: The project's, where it is imported already.

    Returns:
        The builds that came about, and the first refusal of a target: the others are built
        all the same.

    Raises:
        EdgekitError: What concerns all targets: model, data, options.
    """
    project = with_relative_files(project, root)
    source = Source(project, root)
    plans = _plans(source)
    for _, plan in plans:
        refuse(plan.problems, UsageError)
    for name in pass_files(project):
        detect(root / name)
    folders = _folders(source, plans)
    for folder in folders:
        publish.check(folder)
        _spare_model(source.path, folder)
    work = cache(lambda: _work(project, root, progress, resume, model))
    builds: list[Build] = []
    failure: TargetError | None = None
    for (profile, plan), folder in zip(plans, folders, strict=True):
        with publish.lock(folder, lambda: progress.step("waiting for another build")):
            try:
                unchanged = None if force else _unchanged(source, profile, plan, folder, timer)
                if unchanged is not None:
                    builds.append(unchanged)
                elif plan.alternatives:
                    builds.append(_best(work(), profile, plan, folder, timer, settled))
                else:
                    builds.append(_build(work(), profile, plan, folder))
            except TargetError as error:
                failure = failure or error
    if failure is None and any(build.fresh for build in builds):
        work().finish()
    return builds, failure


def _work(
    project: Project, root: Path, progress: Progress, resume: bool, model: Model | None
) -> Work:
    """What is imported only where something is built, and refused before the model is loaded."""
    from edgekit import preprocess
    from edgekit.evaluate.metrics import check_name
    from edgekit.work import Work

    preprocess.parse(project.data.preprocess)
    check_name(project.fidelity.metric)
    return Work(project, root, progress, resume, model)


def _plans(source: Source) -> list[tuple[Profile, Plan]]:
    targets = source.project.build.targets
    if not targets:
        raise UsageError("no target given", "--target NAME; edgekit targets lists them")
    for name in source.project.build.export:
        _discover.require("exporters", name)
    profiles = [load_profile(_target(name, source.root)) for name in targets]
    found = source.source_format, source.quantized_already
    return [(profile, make_plan(source.project, profile, *found)) for profile in profiles]


def _target(name: str, root: Path) -> str:
    return str(root / name) if name.endswith(".toml") else name


def _build(work: Work, profile: Profile, plan: Plan, folder: Path) -> Build:
    from edgekit.exporting import export, tools
    from edgekit.making import make
    from edgekit.manifest import describe, describe_run

    key = input_key(work, profile, plan, tools(plan))
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


def _best(
    work: Work, profile: Profile, plan: Plan, folder: Path, timer: Timer | None, settled: str
) -> Build:
    """The best of the plan's alternatives: what was measured is what stays, file for file."""
    from edgekit.schemes import try_schemes

    began = time.monotonic()
    _ = work.model  # what is wrong with the model is said before the first of them
    with tempfile.TemporaryDirectory(prefix="edgekit-") as scratch:
        choice = try_schemes(
            plan,
            profile,
            lambda each: _build(work, profile, each, Path(scratch) / each.scheme),
            timer,
            work.progress,
            settled,
        )
        best = choice.best.build
        assert best is not None
        manifest = {**best.manifest, "schemes": choice.to_json()}
        seconds = round(time.monotonic() - began, 2)
        report = {**best.report, "seconds": seconds, "timings": choice.timings()}
        with publish.staged(folder) as stage:
            shutil.copytree(best.folder, stage, dirs_exist_ok=True)
            write_json(stage / REPORT, report)
            write_json(stage / MANIFEST, manifest)
    return Build(folder, manifest, report)


def _unchanged(
    source: Source, profile: Profile, plan: Plan, folder: Path, timer: Timer | None
) -> Build | None:
    """The build that is there, if it is what would be built; it imports nothing heavy.

    A format that was chosen stays chosen, unless it is to be timed on another device.
    """
    if not repeatable(source):
        return None
    try:
        build = Build.load(folder)
    except EdgekitError:
        return None
    if plan.alternatives:
        chosen = build.manifest.get("schemes", {}).get("chosen")
        timed_on = build.report.get("timings", {}).get("device")
        if timer and timer.device not in ("", timed_on):
            return None
        plan = next((each for each in plan.alternatives if each.scheme == chosen), plan)
    key = input_key(source, profile, plan, build.manifest.get("tools", ()))
    return build if build.manifest.get("key") == key and not build.damaged() else None


def _folders(source: Source, plans: list[tuple[Profile, Plan]]) -> list[Path]:
    """One target: the output folder itself; several: a folder each below it."""
    output = source.project.build.output
    names = [f"{source.name}-{profile.name}" for profile, _ in plans]
    if len(set(names)) < len(names):
        raise UsageError("the same target is given twice", "give each --target once")
    if output and len(names) == 1:
        return [source.root / output]
    return [source.root / (output or "build") / name for name in names]


def _spare_model(model: Path, folder: Path) -> None:
    if (folder / "model.tflite").resolve() == model.resolve():
        raise OutputError(
            f"{model} is the model itself, and would be overwritten by the one that is built",
            "choose another folder with --output",
        )
