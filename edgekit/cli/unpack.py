"""`edgekit unpack`: the model that was packed."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._common import common, emit, json_option


@click.command(name="unpack")
@click.argument("packed", metavar="FILE.eks", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The model; default: beside the packed file, .tflite.",
)
@json_option
@common
def command(packed: Path, output: Path | None, as_json: bool) -> None:
    """Unpack what edgekit pack made, to the same bytes as before."""
    from edgekit.storage.files import unpack_file

    place = unpack_file(packed, output)
    if as_json:
        emit({"path": str(place), "bytes": place.stat().st_size})
    else:
        click.echo(f"{place}: {place.stat().st_size:,} bytes")
