"""`edgekit zoo`: compact networks, and untrained models of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.cli._table import item, table

_OPEN = {"ignore_unknown_options": True, "allow_extra_args": True}


def _sizes(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, ...]:
    """28x28x1 -> (28, 28, 1)."""
    try:
        return tuple(int(size) for size in value.split("x")) if value else ()
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no shape: write 28x28x1") from error


@click.command(name="zoo", context_settings=_OPEN)
@click.argument("name", required=False)
@click.option("--input", "shape", metavar="SHAPE", callback=_sizes, help="Of one input: 28x28x1.")
@click.option("--classes", type=click.IntRange(min=1), help="Number of scores.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the weights; default: 0.")
@click.option(
    "-o",
    "--output",
    metavar="FILE.keras",
    type=click.Path(path_type=Path),
    help="Write the network, untrained.",
)
@json_option
@common
@click.pass_context
def command(
    context: click.Context,
    name: str | None,
    shape: tuple[int, ...],
    classes: int | None,
    seed: int,
    output: Path | None,
    as_json: bool,
) -> None:
    """List compact networks, show one, or write an untrained model of it.

    NAME is a network, whose options follow it as --width 0.25, or as in NAME/width=0.25. Without
    any, it is shown; with some, built and counted.

    \b
    edgekit zoo
    edgekit zoo mobilenet_v2
    edgekit zoo ds_cnn --channels 16 --input 28x28x1 --classes 10 -o student.keras
    """
    from edgekit.zoo._describe import describe
    from edgekit.zoo.base import load, names

    if name is None or name.startswith("-"):
        _refuse_nameless([*([name] if name else []), *context.args])
        every = [describe(load(one)) for one in names()]
        emit({"networks": every}) if as_json else _list(every)
        return
    made = _make(name, context.args, shape, classes or 0, seed, output)
    shown = made or describe(load(name))
    if as_json:
        emit(shown)
    elif made:
        _print(made)
    else:
        _show(shown)


def _make(
    name: str, rest: Sequence[str], shape: tuple[int, ...], classes: int, seed: int, place: Any
) -> dict[str, Any]:
    """The counts of the network that is asked for, written if it is to be; {}: none is."""
    from edgekit.zoo._make import make

    if not (rest or shape or classes or place or "/" in name):
        return {}
    return make(name, _settings(rest), shape, classes, seed, place)


def _settings(rest: Sequence[str]) -> list[tuple[str, str]]:
    """`--key value` and `--key=value` in pairs."""
    words, found = list(rest), []
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            raise click.UsageError(f"got unexpected extra argument ({word})")
        key, given, value = word[2:].partition("=")
        if not given and (not words or words[0].startswith("--")):
            raise click.UsageError(f"option {word} needs a value")
        found.append((key.replace("-", "_"), value if given else words.pop(0)))
    return found


def _refuse_nameless(rest: Sequence[str]) -> None:
    if rest:
        raise click.UsageError(f"{rest[0]} is an option of a network: name one")


def _list(every: Iterable[Mapping[str, Any]]) -> None:
    rows = [
        (one["name"], _times(one["input"]), one["parameters"], one["macs"], one["title"])
        for one in every
    ]
    table("", ("network", "input", "parameters", "MACs", "title"), rows)
    click.echo("\nedgekit zoo NAME shows its options and its paper")


def _show(shown: Mapping[str, Any]) -> None:
    click.secho(f"{shown['name']}: {shown['title']}", bold=True)
    item("paper", shown["paper"])
    item("input", f"{_times(shown['input'])}, {shown['classes']} classes")
    item("student", f"--compress distill:student=zoo:{shown['name']}")
    click.echo()
    rows = [
        (f"{one['key']} = {json.dumps(one['default'])}", f"{one['help']} ({_range(one)})")
        for one in shown["options"]
    ]
    table("Options", ("", ""), rows)
    click.echo()
    figures = [
        (
            " ".join(f"{key}={value}" for key, value in one["options"].items()) or "defaults",
            one["parameters"],
            one["macs"],
            one["source"],
        )
        for one in shown["figures"]
    ]
    table("", ("figures", "parameters", "MACs", "source"), figures)


def _print(made: Mapping[str, Any]) -> None:
    where = f" -> {made['path']}" if made["path"] else ""
    click.echo(
        f"{made['name']}: {_times(made['input'])}, {made['classes']} classes, "
        f"{made['parameters']:,} parameters, {made['macs']:,} MACs{where}"
    )


def _range(one: Mapping[str, Any]) -> str:
    if "choices" in one:
        return " | ".join(str(choice).lower() for choice in one["choices"])
    return f"{one['least']:g} to {one['most']:g}"


def _times(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
