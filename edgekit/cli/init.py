"""`edgekit init`: write a commented edgekit.toml."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._common import common, emit, json_option


@click.command(name="init")
@click.argument("model", default="model.keras")
@click.option(
    "-t",
    "--target",
    "targets",
    multiple=True,
    default=("rpi4",),
    show_default=True,
    metavar="NAME",
    help="Target to write into it; may be repeated.",
)
@click.option("--force", is_flag=True, help="Overwrite an edgekit.toml that is there.")
@json_option
@common
def command(model: str, targets: tuple[str, ...], force: bool, as_json: bool) -> None:
    """Write a commented edgekit.toml for MODEL into this folder."""
    from edgekit.project import write_template
    from edgekit.target.profile import load_profile

    for target in targets:
        load_profile(target)  # a name that is wrong is told now, not by the first build
    path = write_template(Path("edgekit.toml"), model, targets, force)
    if as_json:
        emit({"path": str(path), "model": model, "targets": list(targets)})
        return
    missing = "" if Path(model).exists() else f"put {model} here, "
    click.echo(f"wrote {path}: {missing}fill in [data] calibration, then run: edgekit build")
