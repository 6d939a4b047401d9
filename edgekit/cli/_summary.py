"""A finished build as a person wants to see it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from edgekit.artifact import Build
from edgekit.cli._findings import findings
from edgekit.cli._ledger_table import print_coded, print_steps
from edgekit.cli._next import uses
from edgekit.cli._schemes import print_schemes
from edgekit.cli._table import item, table
from edgekit.devices._cortex_m.machines import CORES
from edgekit.devices.base import driver_names
from edgekit.errors import UsageError
from edgekit.target.profile import load_profile


def print_build(build: Build, layers: bool = False) -> None:
    """Sizes, closeness to the float model, fit, problems, files and what to do next.

    Args:
        build: To show.
        layers: Whether to show the table of layers, too.
    """
    folder = _shown(build.folder)
    if not build.fresh:
        click.echo(f"{folder}: nothing changed, nothing to do (--force builds again)")
        return
    manifest = build.manifest
    print_schemes(manifest, build.report)
    print_steps(manifest)
    if manifest.get("c_project"):
        print_coded(manifest["c_project"])
    click.echo()
    for name, text in findings(manifest, build.report):
        item(name, text)
    messages = [problem["message"] for problem in manifest["problems"]]
    for line in build.report.get("budget", ()):
        if line not in messages:
            item("budget", line)
    for problem in manifest["problems"]:
        item(problem["severity"], problem["message"])
        item("", problem["hint"])
    if layers and build.report.get("fidelity"):
        _layers(build.report["fidelity"]["layers"])
    _files(folder, manifest)
    _next(folder, manifest)
    click.echo()


def _layers(layers: list[dict[str, Any]]) -> None:
    columns = ("op", "SQNR dB", "why", "layer")
    rows = [(one["op"], round(one["sqnr_db"], 1), one["why"], one["name"]) for one in layers]
    click.echo()
    table("layers against the float model's", columns, rows)
    click.echo()


def _files(folder: Path, manifest: dict[str, Any]) -> None:
    click.echo(f"{'files':<11} {folder}/")
    for path, size in _weighed(manifest).items():
        click.echo(f"{'':<11}   {path:<16} {size:>11,} B")
    click.echo(f"{'':<11}   {'manifest.json':<16} from what, how good, where it fits")
    click.echo(f"{'':<11}   {'report.json':<16} layer by layer, and this run")


def _weighed(manifest: dict[str, Any]) -> dict[str, int]:
    """Bytes of each file, and of each folder as one."""
    sizes: dict[str, int] = {}
    for artifact in manifest["artifacts"]:
        top, inside, _ = artifact["path"].partition("/")
        sizes[top + inside] = sizes.get(top + inside, 0) + artifact["bytes"]
    return sizes


def _next(folder: Path, manifest: dict[str, Any]) -> None:
    first, *others = uses(folder, manifest)
    item("next", first)
    for other in others:
        item("", f"or {other}")
    model = shlex.quote(str(folder / manifest["artifacts"][0]["path"]))
    click.echo(f"{'':<11} edgekit inspect {model}")
    click.echo(f"{'':<11} edgekit verify {shlex.quote(str(folder))}")
    core = (manifest.get("c_project") or {}).get("core")
    device = "qemu" if core in CORES else _device(manifest["target"])
    if device in driver_names():
        click.echo(f"{'':<11} edgekit bench {shlex.quote(str(folder))} --device {device}")


def _device(target: str) -> str:
    """The driver that measures a target; empty where its file is not on this machine."""
    try:
        return load_profile(target).device or ""
    except UsageError:
        return ""


def _shown(folder: Path) -> Path:
    """Relative where it lies below this folder, as the user would type it."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
