"""The build loop: from a project to a build for each of its targets."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from edgekit import _discover, preprocess, publish
from edgekit.artifact import REPORT, Artifact, Build, write_json
from edgekit.errors import DataError, EdgekitError, OutputError, TargetError, UsageError
from edgekit.evaluate.metrics import check_name
from edgekit.exporters.base import ExportInput
from edgekit.graph.read import read
from edgekit.identity import input_key, repeatable
from edgekit.manifest import describe, describe_run
from edgekit.plan import Plan, make_plan
from edgekit.problem import refuse
from edgekit.progress import Progress
from edgekit.project import Project, from_mapping
from edgekit.publish import MANIFEST
from edgekit.result import Result
from edgekit.runtimes.base import evaluation_runtime
from edgekit.target.fit import check_ops, fit
from edgekit.target.profile import Profile, load_profile
from edgekit.work import Work


def build_one(model: str | Path, target: str, **options: Any) -> Build:
    """`edgekit.build`: see there."""
    return build_many(model, [target], **options)[0]


def build_many(
    model: str | Path,
    targets: list[str],
    *,
    force: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> list[Build]:
    """`edgekit.build_all`: see there."""
    project = _project(model, targets, options)
    builds, failure = build_targets(project, Path.cwd(), progress or Progress(), force)
    if failure is not None:
        raise failure
    return builds


def plan_targets(project: Project, root: Path) -> list[Plan]:
    """The plans of a project's targets; nothing is built."""
    work = Work(project, root, Progress())
    return [plan for _, plan in _plans(work)]


def build_targets(
    project: Project, root: Path, progress: Progress, force: bool
) -> tuple[list[Build], TargetError | None]:
    """Build each target of a project, sharing the work that is the same.

    Args:
        project: What to build.
        root: Folder that the project's paths are relative to.
        progress: Told what happens.
        force: Build even where nothing changed.

    Returns:
        The builds that came about, and the first refusal of a target: the others are built
        all the same.

    Raises:
        EdgekitError: What concerns all targets: model, data, options.
    """
    work = Work(project, root, progress)
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
    result = _make(work, profile, plan)
    with publish.staged(folder) as stage:
        artifacts = _export(result, work.model.name, stage)
        manifest = describe(work, result, artifacts, key)
        report = describe_run(work, result, time.monotonic() - began)
        write_json(stage / REPORT, report)
        write_json(stage / MANIFEST, manifest)
    return Build(folder, manifest, report)


def _make(work: Work, profile: Profile, plan: Plan) -> Result:
    refuse(work.data_problems, DataError)
    quantized = work.quantized(plan)
    graph = read(quantized.tflite)
    refuse(check_ops(graph, profile), TargetError)
    runtime, stand_in = evaluation_runtime(profile.evaluate_with)
    verdict = fit(graph, quantized.tflite, profile, work.arena(quantized.tflite, runtime))
    refuse(verdict.problems, TargetError)
    judged = plan.judged
    return Result(
        profile,
        plan,
        quantized,
        graph,
        runtime,
        verdict,
        fidelity=work.fidelity(quantized, runtime) if judged else None,
        accuracy=work.accuracy(quantized.tflite, runtime) if judged else None,
        stand_in=stand_in,
    )


def _export(result: Result, name: str, stage: Path) -> list[Artifact]:
    given = ExportInput(name, result.quantized.tflite, result.graph, result.profile)
    artifacts = []
    for exporter_name in result.profile.exporters:
        exporter = _discover.load("exporters", exporter_name)()
        paths = exporter.export(given, stage)
        artifacts += [Artifact.of(exporter.kind, path, stage) for path in paths]
    return artifacts


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


def _project(model: str | Path, targets: list[str], options: dict[str, Any]) -> Project:
    project = Project().with_table("model", path=str(model), modules=options.pop("modules", None))
    project = project.with_table("build", targets=targets).with_table(
        "fidelity", enabled=options.pop("fidelity", None), metric=options.pop("metric", None)
    )
    project = project.with_table("quantize", scheme=options.pop("quantize", None))
    for setting, value in dict(options.pop("set", {})).items():
        table, _, key = setting.partition(".")
        project = from_mapping({table: {key: value}}, "set", base=project)
    for key in ("output", "seed"):
        project = project.with_table("build", **{key: _text(options.pop(key, None))})
    return from_mapping({"data": options}, "build()", base=project)


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
