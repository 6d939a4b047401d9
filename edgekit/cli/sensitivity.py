"""`edgekit sensitivity`: what each layer costs when it alone is pruned, rounded or narrowed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._common import common, emit, json_option, verbosity

if TYPE_CHECKING:
    from edgekit.project import Project

KINDS = ("prune", "quantize", "activations", "remove")


def _listed(_: click.Context, parameter: click.Parameter, value: str | None) -> list[str] | None:
    """Words between commas."""
    return None if value is None else [word.strip() for word in value.split(",") if word.strip()]


def _shares(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> list[float] | None:
    words = _listed(context, parameter, value)
    try:
        return None if words is None else [float(word) for word in words]
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no list of shares: write 0.3,0.5,0.7") from error


@click.command(name="sensitivity")
@click.argument("model", required=False, metavar="[MODEL]")
@click.option(
    "-c", "--calibration", multiple=True, metavar="DATA", help="Unlabeled rows; may be repeated."
)
@click.option(
    "-e",
    "--evaluation",
    multiple=True,
    metavar="DATA",
    help="Rows to measure on, with labels accuracy; default: agreement on the calibration data.",
)
@click.option(
    "--kinds",
    callback=_listed,
    metavar="LIST",
    help=f"Some of {', '.join(KINDS)}; default: all.",
)
@click.option(
    "--levels",
    callback=_shares,
    metavar="LIST",
    help="Shares for prune and remove; default: 0.3,0.5,0.7,0.8,0.9.",
)
@click.option(
    "--samples", type=click.IntRange(min=1), help="The most rows of each kind; default: 200."
)
@click.option(
    "--preprocess", metavar="SPEC", help="As for edgekit build: raw, unit, symmetric, imagenet, ..."
)
@click.option("--metric", metavar="NAME", help="top1, mse, mae, auc or python:module:function.")
@click.option(
    "--module", "modules", multiple=True, metavar="MODULE", help="Python module to import first."
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of every random choice.")
@click.option(
    "-o",
    "--output",
    metavar="DIR|FILE",
    help="Folder, or a .json with its .svg beside it; default: build/<model>-sensitivity.",
)
@click.option("--resume", is_flag=True, help="Go on where an analysis was stopped.")
@json_option
@common
def command(
    model: str | None,
    kinds: list[str] | None,
    levels: list[float] | None,
    output: str | None,
    resume: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Change one layer of MODEL at a time and measure what that costs; nothing is trained.

    Without MODEL, edgekit.toml of this folder says which model and data.

    \b
    edgekit sensitivity model.keras --calibration images/ --preprocess unit
    edgekit sensitivity kws.h5 -c kws.npz:x[:200] -e kws.npz:x,y[200:] --kinds prune,remove
    """
    from edgekit.cli._heat import print_sensitivity
    from edgekit.cli._progress import make_progress
    from edgekit.sensitivities.api import analyse_one

    project = _project(model, options)
    place = Path(output or f"build/{Path(project.model.path).stem}-sensitivity")
    given = {"kinds": kinds, "levels": levels}
    chosen: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    progress = make_progress(verbosity())
    try:
        found = analyse_one(project, output=place, resume=resume, progress=progress, **chosen)
    finally:
        progress.close()
    if as_json:
        emit(found.to_json())
    else:
        print_sensitivity(found, place)


def _project(model: str | None, options: dict[str, Any]) -> Project:
    from edgekit.errors import UsageError
    from edgekit.project import Project, from_toml

    given = {key: value or None for key, value in options.items()}
    project = Project()
    if model is None:
        toml = Path("edgekit.toml")
        if not toml.is_file():
            raise UsageError(
                "no MODEL given, and no edgekit.toml in this folder",
                "edgekit sensitivity MODEL --calibration DATA",
            )
        project = from_toml(toml)
    data = ("calibration", "evaluation", "preprocess", "samples")
    return (
        project.with_table("model", path=model, modules=given["modules"])
        .with_table("data", **{key: given[key] for key in data})
        .with_table("build", seed=options["seed"])
        .with_table("fidelity", metric=given["metric"])
    )
