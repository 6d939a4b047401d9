"""`edgekit passes`: what `--compress` can do, and what each pass can be told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.cli._table import fold, item, table


@click.command(name="passes")
@click.argument("name", required=False)
@json_option
@common
def command(name: str | None, as_json: bool) -> None:
    """List the compression passes, or show what one can be told.

    NAME is a pass as in --compress, e.g. prune.
    """
    from edgekit.passes._describe import describe, fine_tuning
    from edgekit.passes.base import load, names

    if name is not None:
        shown = describe(load(name))
        emit(shown) if as_json else _show(shown)
        return
    every = {"passes": [describe(load(one)) for one in names()], "fine_tune": fine_tuning()}
    emit(every) if as_json else _list(every)


def _list(every: Mapping[str, Any]) -> None:
    for one in every["passes"]:
        click.secho(f"{one['short_form']}{_aliases(one)}", bold=True)
        item("", one["title"])
        item("", one["paper"])
    click.echo()
    _options("Fine-tuning, a part of every pass", every["fine_tune"])
    click.echo("\nedgekit passes NAME shows what a pass can be told besides")


def _show(shown: Mapping[str, Any]) -> None:
    click.secho(fold(f"{shown['name']}: {shown['title']}", " " * 12), bold=True)
    item("paper", shown["paper"])
    item("short form", f"{shown['short_form']}{_aliases(shown)}")
    item("example", f"--compress {shown['example']}")
    click.echo()
    _options("Options", shown["options"])
    click.echo("\nedgekit passes lists the keys of fine-tuning, which it takes, too")


def _options(title: str, options: Iterable[Mapping[str, Any]]) -> None:
    """Each key with its default, as TOML; what it does, and what it may be."""
    rows = [
        (f"{one['key']} = {json.dumps(one['default'])}", f"{one['help']} ({one['type']})")
        for one in options
    ]
    table(title, ("", ""), rows or [("none of its own", "")])


def _aliases(one: Mapping[str, Any]) -> str:
    return f" (or {' or '.join(one['aliases'])})" if one["aliases"] else ""
