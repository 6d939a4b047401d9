"""What the commands share: the common options, and JSON on standard output."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import click

VERBOSITY = "edgekit.verbosity"

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON alone on standard output."
)


def _louder(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.meta[VERBOSITY] = 1
        os.environ["EDGEKIT_VERBOSE"] = "1"


def _quieter(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.meta[VERBOSITY] = -1


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add -v, -q and --debug, which every command accepts."""
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks."),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            expose_value=False,
            callback=_quieter,
            help="Print results and errors only.",
        ),
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_louder,
            help="Show what TensorFlow and the converters print, too.",
        ),
    ):
        command = option(command)
    return command


def verbosity() -> int:
    """-1 with -q, 1 with -v, else 0."""
    return int(click.get_current_context().meta.get(VERBOSITY, 0))


def emit(data: Any) -> None:
    """Print `data` as JSON on standard output."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))
