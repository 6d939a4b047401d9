"""`edgekit build`: the main job, from a model to a proved artifact for each target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli._common import common, emit, json_option, verbosity
from edgekit.cli._compression import BuildCommand, compression, with_compression
from edgekit.cli._table import fold

SCHEMES = ("int8", "int4", "int16x8", "float16", "dynamic", "float32", "auto")


@click.command(name="build", cls=BuildCommand)
@click.argument("model", required=False, metavar="[MODEL]")
@click.option(
    "-t",
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    help="Target name or TOML file (`edgekit targets`); may be repeated.",
)
@click.option(
    "-c",
    "--calibration",
    multiple=True,
    metavar="DATA",
    help="Unlabeled data for calibration, PATH[:array][[start:stop]]; may be repeated.",
)
@click.option(
    "--training",
    multiple=True,
    metavar="DATA",
    help="Data for compression, with labels if it has them; default: the calibration data.",
)
@click.option(
    "-e",
    "--evaluation",
    multiple=True,
    metavar="DATA",
    help="Data to judge the result on; with labels: accuracy, too.",
)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    help="Output folder (several targets: its parent); default build/<model>-<target>.",
)
@click.option(
    "--quantize",
    type=click.Choice(SCHEMES),
    help="Number format; auto: the fastest that keeps the budget; default: the target's (int8).",
)
@click.option(
    "--device",
    default="",
    metavar="NAME",
    help="Where --quantize auto times formats (`edgekit devices`); default: the target's.",
)
@click.option(
    "--preprocess",
    metavar="SPEC",
    help="raw, unit, symmetric, imagenet and/or scale=,offset=,mean=,std=,resize=,layout=.",
)
@click.option(
    "--samples", type=click.IntRange(min=1), help="The most samples that calibration uses."
)
@click.option(
    "--metric",
    metavar="NAME",
    help="Accuracy metric: top1, mse, mae, auc or python:module:function; default: by the task.",
)
@click.option(
    "--labels", metavar="FILE", help="Names of the classes, a line each, in order of the scores."
)
@click.option(
    "--module",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="Python module to import first, that registers custom layers; may be repeated.",
)
@click.option(
    "--export",
    multiple=True,
    metavar="NAME",
    help="Write this, too (c_project, c_array), or refuse if it cannot be; may be repeated.",
)
@click.option(
    "--optimize",
    type=click.Choice(("size", "balanced", "speed")),
    help="What the C of a microcontroller is made for; default: balanced.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of every random choice.")
@compression
@click.option("--no-fidelity", is_flag=True, help="Skip the comparison with the float model.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="TABLE.KEY=VALUE",
    help="Set any key of edgekit.toml.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@click.option("--force", is_flag=True, help="Build even if nothing changed.")
@json_option
@common
def command(
    model: str | None,
    settings: tuple[str, ...],
    dry_run: bool,
    force: bool,
    resume: bool,
    device: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Build MODEL for one or more targets.

    MODEL is a .keras, .h5, SavedModel, .onnx or .tflite; without it, edgekit.toml of this folder
    says what to build. A .toml is read as such a file; its paths are relative to this folder.

    \b
    edgekit build model.keras --target rpi4 --calibration images/ --preprocess unit
    edgekit build kws.h5 -t cortex-m4 -c kws.npz:x[:100] -e kws.npz:x,y[100:]
    edgekit build kws.h5 -t rpi4 -c kws.npz:x[:350] --compress prune:0.6,qat --max-drop 1
    """
    from edgekit.cli._progress import make_progress
    from edgekit.harness.timer import BenchTimer
    from edgekit.pipeline import build_targets, plan_targets

    project = _project(model, settings, options)
    _check_device(device, project)
    if dry_run:
        plans = plan_targets(project, Path.cwd())
        emit({"plans": [plan.to_json() for plan in plans]}) if as_json else _print_plans(plans)
        return
    progress = make_progress(verbosity())
    try:
        timer = BenchTimer(device, progress)
        builds, failure = build_targets(project, Path.cwd(), progress, force, resume, timer)
    finally:
        progress.close()
    if as_json:
        if failure is None:
            emit({"builds": [_as_json(build) for build in builds]})
    else:
        from edgekit.cli._summary import print_build

        for build in builds:
            print_build(build, layers=verbosity() > 0)
    if failure is not None:
        raise failure


def _check_device(device: str, project: Any) -> None:
    from edgekit.errors import UsageError

    if device and project.quantize.scheme != "auto":
        raise UsageError(
            f"--device {device}: nothing is timed in this build",
            "--quantize auto times number formats; edgekit bench BUILD --device times a build",
        )


def _project(model: str | None, settings: tuple[str, ...], options: dict[str, Any]) -> Any:
    from edgekit.errors import UsageError
    from edgekit.project import Project, from_toml

    given = {key: value or None for key, value in options.items()}
    if model is None or model.endswith(".toml"):
        toml = Path(model or "edgekit.toml")
        if model is None and not toml.is_file():
            raise UsageError(
                "no MODEL given, and no edgekit.toml in this folder",
                "edgekit build MODEL --target NAME, or write a project file with: edgekit init",
            )
        model, project = None, from_toml(toml)
    else:
        project = Project()
    data = ("calibration", "training", "evaluation", "preprocess", "samples")
    project = (
        project.with_table("model", path=model, labels=given["labels"], modules=given["modules"])
        .with_table("data", **{key: given[key] for key in data})
        .with_table("build", targets=given["targets"], output=given["output"], seed=options["seed"])
        .with_table("build", export=given["export"])
        .with_table("compile", optimize=given["optimize"])
        .with_table("quantize", scheme=given["quantize"])
        .with_table("fidelity", metric=given["metric"])
    )
    project = with_compression(project, options)
    if options["no_fidelity"]:
        project = project.with_table("fidelity", enabled=False)
    for setting in settings:
        project = project.with_setting(setting)
    return project


def _print_plans(plans: Any) -> None:
    for plan in plans:
        for line in plan.lines():
            indent = len(line) - len(line.lstrip(" 0123456789."))
            click.echo(fold(line, " " * indent))


def _as_json(build: Any) -> dict[str, Any]:
    timings = build.report.get("timings")
    timed = {"timings": timings} if timings else {}
    return {"folder": str(build.folder), "fresh": build.fresh, **build.manifest, **timed}
