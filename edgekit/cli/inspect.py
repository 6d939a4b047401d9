"""`edgekit inspect`: what is in a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli._common import common, emit, json_option, verbosity
from edgekit.cli._names import short
from edgekit.cli._table import table


@click.command(name="inspect")
@click.argument("model", metavar="MODEL")
@json_option
@common
def command(model: str, as_json: bool) -> None:
    """Show the layers of MODEL: shapes, quantization, bytes, MACs.

    A .tflite file is read without TensorFlow; any other model is imported first, and what is
    shown is the float flatbuffer that a build would start from.
    """
    from edgekit.cli._progress import make_progress
    from edgekit.inspect import inspect

    progress = make_progress(verbosity())
    try:
        found = inspect(Path(model), progress)
    finally:
        progress.close()
    if as_json:
        emit(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    columns = ("#", "Op", "Name", "Output", "Type", "Weights", "Bytes", "MACs")
    names = short([layer["name"] or "-" for layer in found["layers"]])
    rows = [
        (
            layer["index"],
            layer["op"],
            name,
            _shape(layer["shape"]),
            layer["dtype"],
            _weights(layer["quantization"]),
            layer["bytes"],
            layer["macs"],
        )
        for layer, name in zip(found["layers"], names, strict=True)
    ]
    title = f"{found['path']} ({found['format']})"
    table(title, columns, rows, give=columns.index("Name"), cut=True)
    click.echo()
    for side in ("inputs", "outputs"):
        for end in found[side]:
            click.echo(f"{side[:-1]:7} {_ends(end)}")
    click.echo(
        f"{len(rows)} layers, {found['parameters']:,} parameters, {found['macs']:,} MACs, "
        f"{found['bytes']:,} bytes"
    )
    if found["subgraphs"]:
        click.echo(f"{found['subgraphs']} subgraphs are counted, not listed")


def _ends(end: dict[str, Any]) -> str:
    text = f"{end['name']}  {_shape(end['shape'])}  {end['dtype']}"
    if end["scale"] is None:
        return text
    return f"{text}  scale {end['scale']:.8g}  zero point {end['zero_point']}"


def _shape(sizes: list[int] | None) -> str:
    return "x".join("?" if size < 0 else str(size) for size in sizes or ()) or "-"


def _weights(quantization: str | None) -> str | None:
    """Short: `int8 per channel` is `int8/ch`, and a scale for the whole tensor goes without."""
    if quantization is None:
        return None
    dtype, _, grain = quantization.partition(" per ")
    return {"channel": f"{dtype}/ch", "block": f"{dtype}/block"}.get(grain, dtype)
