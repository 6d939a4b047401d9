"""What targets make of a model, for people: in few lines of all, or of some in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from edgekit.cli._table import item
from edgekit.errors import TargetError

NAMED = 3
"""Reasons that are told of one target where all are listed."""


def print_support(found: Sequence[dict[str, Any]], in_full: bool) -> None:
    """Print it; `in_full` with memory and hints."""
    click.echo()
    if in_full:
        for one in found:
            _print_one(one)
        return
    good = [one for one in found if one["runs"] and one["fits"] is not False]
    fits = [one["target"] for one in good if one["fits"]]
    for name, targets in (
        ("fits", fits),
        ("runs on", [one["target"] for one in good if one["fits"] is None]),
    ):
        if targets:
            item(name, ", ".join(targets))
    for index, told in enumerate(_refused(found)):
        item("" if index else "not on", told)
    click.echo("as it is, by operators, flash and activations; --target NAME tells more")


def _refused(found: Sequence[dict[str, Any]]) -> list[str]:
    """Targets with the same reasons in one line."""
    grouped: dict[tuple[str, ...], list[str]] = {}
    for one in found:
        if errors := _errors(one):
            told = [each["message"] for each in errors]
            more = [f"and {len(told) - NAMED} more"] if len(told) > NAMED else []
            grouped.setdefault((*told[:NAMED], *more), []).append(one["target"])
    return [f"{', '.join(names)}: {'; '.join(why)}" for why, names in grouped.items()]


def _print_one(one: dict[str, Any]) -> None:
    word = "runs it" if one["runs"] else "does not run it"
    fits = {True: ", and it fits", False: ", and it does not fit", None: ""}[one["fits"]]
    click.secho(f"{one['target']} ({one['runtime']}) {word}{fits}", bold=True)
    for key, title in (("flash", "flash"), ("ram", "RAM")):
        memory = one[key]
        if memory["need"] is not None:
            have = f" of {memory['have']:,} B" if memory["have"] else ""
            item(title, f"{memory['need']:,} B{have}, {memory['state']}: {memory['by']}")
    for problem in one["problems"]:
        item(problem["severity"], problem["message"])
        item("", problem["hint"])


def refuse_targets(found: dict[str, Any]) -> None:
    """Raise TargetError where a target that was asked for cannot run or hold the model."""
    refused = [one for one in found["targets"] if _errors(one)]
    if refused:
        first = _errors(refused[0])[0]
        names = ", ".join(one["target"] for one in refused)
        raise TargetError(f"{found['path']} as it is is not for {names}", first["hint"])


def _errors(one: dict[str, Any]) -> list[dict[str, str]]:
    return [problem for problem in one["problems"] if problem["severity"] == "error"]
