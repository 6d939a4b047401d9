"""Tables of a build: its size after each step, and how the C project stores its weights."""

from __future__ import annotations

from typing import Any

import click

from edgekit.c_project.savings import PLAIN
from edgekit.cli._table import table
from edgekit.layer_names import short


def print_steps(manifest: dict[str, Any]) -> None:
    """The ledger: sizes alone, or what passes did to the weights, too."""
    title = f"{manifest['model']['path']} for {manifest['target']}"
    if not manifest["compress"]:
        table(title, ("", "parameters", "MACs", "bytes", "gzip"), _sizes(manifest))
        return
    built = manifest["ledger"][-1]
    title += f": {built['parameters']:,} parameters, {built['macs']:,} MACs"
    columns = ["", "zeros %", "distinct", "bytes", "gzip", "CSR", "code book", "same %", "SQNR dB"]
    plain = manifest.get("without_passes")
    steps = [*manifest["ledger"][:-1], *([plain] if plain else []), built]
    rows = [_compressed(step) for step in steps]
    told = "distinct: most values in one kernel; CSR, code book: bytes of all weights so stored"
    if built.get("flash") is not None:
        columns.append("C flash")
        rows = [(*row, step.get("flash")) for row, step in zip(rows, steps, strict=True)]
        told += "\nC flash: constants and code of the C project, code estimated"
    table(title, columns, rows)
    click.echo(told)


def _compressed(step: dict[str, Any]) -> tuple[Any, ...]:
    weights = step["weights"]
    return (
        step["step"],
        round(100 * weights["zeros"] / max(1, weights["elements"]), 1),
        weights["distinct"],
        step["bytes"],
        step["gzip"],
        weights["csr"],
        weights["code_book"],
        _rounded(step["top1_agreement"]),
        _rounded(step["sqnr_db"]),
    )


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 1)


def _sizes(manifest: dict[str, Any]) -> list[tuple[Any, ...]]:
    """One row a step; a float build is its own beginning, and is shown once."""
    keys = ("step", "parameters", "macs", "bytes", "gzip")
    return list(dict.fromkeys(tuple(step[key] for key in keys) for step in manifest["ledger"]))


def print_coded(made: dict[str, Any]) -> None:
    """Each layer whose weights are not stored as they are."""
    names = short([layer["layer"] for layer in made["weights"]])
    rows = [
        (
            layer["form"],
            layer["bytes_plain"],
            layer["bytes_stored"],
            layer["instructions_plain"],
            layer["instructions_stored"],
            name,
        )
        for layer, name in zip(made["weights"], names, strict=True)
        if layer["form"] != PLAIN
    ]
    if rows:
        click.echo()
        columns = ("stored as", "bytes", "now", "instructions", "now", "layer")
        table("weights in few bits in the C project; instructions estimated", columns, rows)
