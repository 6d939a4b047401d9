"""What a bench found, as a person wants to see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from edgekit.bench import Report
from edgekit.cli._names import short
from edgekit.cli._table import item, table
from edgekit.devices.base import Board

TOTALS = (
    ("instructions", "instructions", ""),
    ("flash", "flash_bytes", "B"),
    ("RAM", "ram_bytes", "B"),
    ("stack", "stack_bytes", "B"),
    ("cycles", "cycles_estimated", ""),
    ("latency", "latency_ms_estimated", "ms"),
    ("energy", "energy_mj_estimated", "mJ"),
)


def print_report(report: Report) -> None:
    """Layer by layer, then totals with their labels and sources, then the verdict."""
    if report.emulated is not None:
        emulated = report.emulated
        table(f"{report.target} on {report.device}: {emulated['core']}", *_layers(emulated))
        click.echo()
        for name, key, unit in TOTALS:
            item(name, _total(emulated, key, unit, report.board))
    golden = report.golden
    item(
        "verdict",
        f"{report.validity}: {golden.compared:,} output values of {golden.vectors} golden vectors "
        "are what they should be",
    )


def _layers(emulated: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[Any, ...]], int]:
    total = emulated["instructions"]
    names = short([one["name"] for one in emulated["layers"]])
    rows = [
        (one["op"], one["macs"], one["instructions"], _each(one), _share(one, total), name)
        for one, name in zip(emulated["layers"], names, strict=True)
    ]
    between = {"instructions": emulated["instructions_between_layers"], "macs": None}
    rows.append(("", None, between["instructions"], None, _share(between, total), "(between)"))
    return ("op", "MACs", "instructions", "a MAC", "share %", "layer"), rows, -1


def _each(layer: Mapping[str, Any]) -> float | None:
    return round(layer["instructions"] / layer["macs"], 2) if layer["macs"] else None


def _share(layer: Mapping[str, Any], total: int) -> float:
    instructions: int = layer["instructions"]
    return round(100 * instructions / max(1, total), 1)


def _total(emulated: Mapping[str, Any], key: str, unit: str, board: Board | None) -> str:
    """The figure, what it is of what the board has, its label and its source."""
    value, told = emulated[key], emulated["labels"][key]
    if value is None:
        return f"not {told['label']}: {told['source']}"
    figure = f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"
    have = getattr(board, key, None)
    of = f" of {have:,} B ({100 * value / have:.0f} %)" if have else ""
    return f"{figure} {unit}".rstrip() + f"{of}, {told['label']}: {told['source']}"
