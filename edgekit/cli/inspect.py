"""`edgekit inspect`: what is in a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli._common import common, emit, json_option, verbosity
from edgekit.cli._table import table
from edgekit.errors import ModelError, TargetError
from edgekit.layer_names import short


@click.command(name="inspect")
@click.argument("model", metavar="MODEL")
@click.option(
    "--accumulator",
    type=click.IntRange(2, 64),
    metavar="BITS",
    help="Refuse a model whose sums do not fit accumulators of so many bits, and name the layers.",
)
@click.option(
    "-t",
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    help="Say what is in the way on this target, and refuse a model that it cannot run or hold.",
)
@json_option
@common
def command(model: str, accumulator: int | None, targets: tuple[str, ...], as_json: bool) -> None:
    """Show the layers of MODEL: shapes, quantization, bytes, MACs, and which targets can run it.

    A .tflite file is read without TensorFlow; any other model is imported first, and what is
    shown is the float flatbuffer that a build would start from. Targets are asked what they make of
    the file as it is: a build may change number formats, and finds out more about memory.
    """
    from edgekit.cli._progress import make_progress
    from edgekit.cli._support import print_support, refuse_targets
    from edgekit.inspect import inspect

    progress = make_progress(verbosity())
    try:
        found = inspect(Path(model), progress, targets)
    finally:
        progress.close()
    if as_json:
        emit(found)
    else:
        _print(found)
        print_support(found["targets"], bool(targets))
        if accumulator or verbosity() > 0:
            _print_accumulators(found)
    if accumulator:
        _refuse_overflow(found, accumulator)
    if targets:
        refuse_targets(found)


def _print_accumulators(found: dict[str, Any]) -> None:
    """Bits of sums: by sizes alone, exactly for these weights, and what the kernels have."""
    names = short([each["name"] or "-" for each in found["accumulators"]])
    rows = [
        (each["index"], name, each["rule"], each["exact"], each["runtime"])
        for each, name in zip(found["accumulators"], names, strict=True)
    ]
    click.echo()
    table("bits of an accumulator", ("#", "Name", "Rule", "Exact", "Runtime"), rows, give=1)


def _refuse_overflow(found: dict[str, Any], bits: int) -> None:
    over = [each for each in found["accumulators"] if each["exact"] > bits]
    if not found["accumulators"]:
        raise ModelError(
            f"{found['path']}: no integer layers, whose sums could be known",
            "give an int8 model: edgekit build MODEL --target NAME",
        )
    if over:
        names = short([each["name"] or "-" for each in over[:5]])
        listed = ", ".join(f"{n} ({each['exact']})" for n, each in zip(names, over, strict=False))
        more = f" and {len(over) - 5} more" if len(over) > 5 else ""
        raise TargetError(
            f"sums of {len(over)} layers may overflow {bits} bits: {listed}{more}",
            f"use accumulators of {max(each['exact'] for each in over)} bits",
        )


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
