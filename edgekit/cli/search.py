"""`edgekit search`: the best builds within limits, found by trials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._common import common, emit, json_option, verbosity
from edgekit.cli._values import DURATION, key_values

if TYPE_CHECKING:
    from edgekit.project import Project

SAMPLERS = ("tpe", "nsga2", "random", "gp", "netadapt")
LIMITS = {
    "max_drop": ("POINTS", "Accuracy lost at most, on labelled rows: 1%."),
    "min_accuracy": ("PERCENT", "Right at least, on labelled rows: 90%."),
    "min_agreement": ("PERCENT", "Decisions like the float model's, at least: 98%."),
    "max_flash": ("SIZE", "Model and code; K is 1,024 bytes: 64K."),
    "max_ram": ("SIZE", "Of the target: 32K."),
    "max_bytes": ("SIZE", "Of the .tflite: 100K."),
    "max_gzip": ("SIZE", "Of the .tflite after gzip -9: 50K."),
    "max_macs": ("COUNT", "Multiply-accumulates of an inference: 5000000."),
    "max_latency": ("TIME", "Of an inference: 80ms."),
    "max_energy": ("ENERGY", "Of an inference: 2mJ."),
}


def _limits(command: Any) -> Any:
    for name, (metavar, help) in reversed(LIMITS.items()):
        command = click.option(f"--{name.replace('_', '-')}", metavar=metavar, help=help)(command)
    return command


def _words(_: click.Context, parameter: click.Parameter, value: str | None) -> list[str] | None:
    return None if value is None else [word.strip() for word in value.split(",") if word.strip()]


@click.command(name="search")
@click.argument("model", required=False, metavar="[MODEL]")
@click.option("-t", "--target", metavar="NAME", help="Target name or TOML file.")
@click.option("-c", "--calibration", multiple=True, metavar="DATA", help="As for edgekit build.")
@click.option(
    "--training",
    multiple=True,
    metavar="DATA",
    help="Data for compression; a part, by hash, is held out and selects. Labels give accuracy.",
)
@click.option(
    "-e", "--evaluation", multiple=True, metavar="DATA", help="Labelled; once, for the report."
)
@click.option("--preprocess", metavar="SPEC", help="As for edgekit build.")
@_limits
@click.option(
    "--objective",
    "objectives",
    multiple=True,
    metavar="NAME",
    help="What is made best; several give a front. drop, accuracy, agreement, netscore, flash, "
    "ram, bytes, gzip, macs, parameters, latency, instructions, energy, reward.",
)
@click.option(
    "--passes", callback=_words, metavar="LIST", help="Passes that may be used, in order."
)
@click.option("--trials", type=click.IntRange(min=1), help="Different builds to try; default: 50.")
@click.option("--timeout", type=DURATION, metavar="TIME", help="No trial begins after: 2h.")
@click.option("--device", metavar="NAME", help="That measures; for microcontrollers: qemu.")
@click.option(
    "--device-option", multiple=True, metavar="KEY=VALUE", help="For the device; may be repeated."
)
@click.option("--power", metavar="METER", help="Of lab.toml, or a meter: energy of a device.")
@click.option(
    "--executor",
    default="sequential",
    metavar="NAME",
    help="sequential, ray (this machine), ray:auto or ray:HOST:PORT (its cluster).",
)
@click.option(
    "--executor-option",
    multiple=True,
    metavar="KEY=VALUE",
    help="For Ray: cpus, memory, batch, retries; may be repeated.",
)
@click.option("--sampler", type=click.Choice(SAMPLERS), help="What chooses; default: tpe.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of every random choice.")
@click.option(
    "--train", metavar="FUNCTION", help="python:module:function(trial) that trains each model."
)
@click.option(
    "--sensitivity", metavar="FILE", help="Of edgekit sensitivity: parts amounts among layers."
)
@click.option("--study", metavar="FILE", help="A journal, or SQLite (.db); default: in --output.")
@click.option("-o", "--output", metavar="DIR", help="Default: build/<model>-<target>-search.")
@click.option("--resume", is_flag=True, help="Go on with a study; no finished trial is repeated.")
@click.option("--set", "settings", multiple=True, metavar="TABLE.KEY=VALUE", help="As for build.")
@json_option
@common
def command(
    model: str | None,
    settings: tuple[str, ...],
    study: str | None,
    output: str | None,
    resume: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Try builds of MODEL, and keep those within all limits that no other is better than.

    Without MODEL, edgekit.toml of this folder says what is built; its [search] says the rest.

    \b
    edgekit search kws.h5 -t nucleo-l4r5zi -c kws.npz:x[:100] --training kws.npz:x,y[100:]
        --max-flash 64K --max-latency 80ms --max-drop 1%
    """
    from edgekit.cli._progress import make_progress
    from edgekit.cli._search_report import print_search
    from edgekit.search.api import search_one
    from edgekit.search.executors import make_executor

    how = key_values("--executor-option", options.pop("executor_option"))
    executor = make_executor(options.pop("executor"), how)
    project = _project(model, settings, options)
    bench = {"options": key_values("--device-option", options["device_option"])}
    bench = {key: value for key, value in bench.items() if value}
    if options["power"]:
        bench["power"] = options["power"]
    timeout = options["timeout"] or _timeout(project.search.timeout)
    progress = make_progress(verbosity())
    try:
        found = search_one(
            project,
            output=output,
            study=study,
            resume=resume,
            timeout=timeout,
            bench=bench,
            executor=executor,
            progress=progress,
        )
    finally:
        progress.close()
    emit(found.to_json()) if as_json else print_search(found)


def _project(model: str | None, settings: tuple[str, ...], given: dict[str, Any]) -> Project:
    from edgekit.errors import UsageError
    from edgekit.project import Project, from_toml

    toml = Path("edgekit.toml")
    project = Project()
    if model is None and toml.is_file():
        project = from_toml(toml)
    elif model is None and not given["train"]:
        raise UsageError(
            "no MODEL given, and no edgekit.toml in this folder",
            "edgekit search MODEL --target NAME, or write a project file with: edgekit init",
        )
    values = {key: value or None for key, value in given.items()}
    data = ("calibration", "training", "evaluation", "preprocess")
    search = (
        "objectives",
        "passes",
        "trials",
        "device",
        "sampler",
        "sensitivity",
        "train",
        *LIMITS,
    )
    targets = (given["target"],) if given["target"] else None
    project = (
        project.with_table("model", path=model)
        .with_table("data", **{key: values[key] for key in data})
        .with_table("build", targets=targets, seed=given["seed"])
        .with_table("search", **{key: values[key] for key in (*search, *LIMITS)})
    )
    for setting in settings:
        project = project.with_setting(setting)
    return project


def _timeout(text: str) -> float | None:
    return DURATION.convert(text, None, None) if text else None
