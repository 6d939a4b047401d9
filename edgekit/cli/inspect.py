"""`edgekit inspect`: what is in a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli._common import common, emit, json_option, table


@click.command(name="inspect")
@click.argument("model", metavar="MODEL")
@json_option
@common
def command(model: str, as_json: bool) -> None:
    """Show the layers of MODEL: shapes, quantisation, bytes, MACs.

    A .tflite file is read without TensorFlow; any other model is imported first, and what is
    shown is the float flatbuffer that a build would start from.
    """
    from edgekit.inspect import inspect

    found = inspect(Path(model))
    if as_json:
        emit(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    columns = ("#", "Op", "Name", "Output", "Type", "Weights", "Bytes", "MACs")
    rows = [
        (
            layer["index"],
            layer["op"],
            _short(layer["name"]),
            _shape(layer["shape"]),
            layer["dtype"],
            layer["quantization"],
            layer["bytes"],
            layer["macs"],
        )
        for layer in found["layers"]
    ]
    table(f"{found['path']} ({found['format']})", columns, rows)
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


def _short(name: str | None) -> str:
    """Fused operators carry the names of all they were made of; the last one is the layer's."""
    return (name or "-").rstrip(";").rpartition(";")[2]
