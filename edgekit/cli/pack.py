"""`edgekit pack`: a model as few bytes, for the way to a device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.cli._table import table
from edgekit.layer_names import short

if TYPE_CHECKING:
    from edgekit.storage.files import Report


@click.command(name="pack")
@click.argument("model", metavar="MODEL.tflite", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The packed file; default: beside the model, .eks.",
)
@json_option
@common
def command(model: Path, output: Path | None, as_json: bool) -> None:
    """Store MODEL.tflite in the fewest bytes; edgekit unpack gives the same file back.

    Each constant is stored in the form that takes least: as a code book, in Huffman codes, without
    its zeros (gaps, COO, CSR, CSC), or deflated with the rest. --export packed has a build write
    the packed file, and the C that unpacks it on a device.
    """
    from edgekit.storage.files import pack_file

    place, report = pack_file(model, output)
    if as_json:
        emit({"path": str(place), **report.to_json()})
    else:
        _print(place, report)


def _print(place: Path, report: Report) -> None:
    found = report.to_json()
    if found["constants"]:
        names = short([each["name"] for each in found["constants"]])
        rows = [
            (
                name,
                f"{each['rows']}x{each['columns']}",
                each["bytes"],
                each["packed_bytes"],
                each["positions"],
                each["values"],
            )
            for name, each in zip(names, found["constants"], strict=True)
        ]
        columns = ("Constant", "Matrix", "Bytes", "Packed", "Positions", "Values")
        table(str(place), columns, rows, give=0, cut=True)
    packed = found["packed_bytes"]
    click.echo(
        f"{place}: {packed:,} bytes of {report.original:,} "
        f"({report.original / packed:.1f} times fewer; gzip -9: {report.gzip:,})"
    )
