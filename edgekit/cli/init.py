"""`edgekit init`: write a commented edgekit.toml."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._common import common


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
@common
def command(model: str, targets: tuple[str, ...], force: bool) -> None:
    """Write a commented edgekit.toml for MODEL into this folder."""
    from edgekit.project import write_template

    path = write_template(Path("edgekit.toml"), model, targets, force)
    click.echo(f"wrote {path}: fill in [data] calibration, then run: edgekit build")
