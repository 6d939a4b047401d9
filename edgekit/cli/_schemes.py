"""What `--quantize auto` chose from, as a person wants to see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from edgekit.cli._table import item, table
from edgekit.timing import FIGURES


def print_schemes(manifest: Mapping[str, Any], report: Mapping[str, Any]) -> None:
    """A line for each number format, what they are ranked by, and why the first stays.

    Nothing where the format was not chosen by the build.
    """
    found, timings = manifest.get("schemes"), report.get("timings")
    if not found or not timings:
        return
    figure = timings["ranked_by"]
    timed = figure in FIGURES
    accurate = any(one.get("accuracy") is not None for one in found["tried"])
    columns = ["", "format", *_heads(figure), "bytes", "flash", "RAM"]
    columns += [*(["accuracy"] if accurate else []), "same %", "SQNR dB", ""]
    rows = []
    for one in found["tried"]:
        timing = timings["schemes"].get(one["scheme"], {})
        mark = "*" if one["scheme"] == found["chosen"] else ""
        cells = [mark, one["scheme"], *_speed(timing, figure)]
        cells += [one.get(key) for key in ("bytes", "flash_bytes", "ram_bytes")]
        cells += [_rounded(one.get("accuracy"), 2)] if accurate else []
        cells += [_rounded(one.get(key), 1) for key in ("top1_agreement", "sqnr_db")]
        rows.append([*cells, _remark(one, timing, timed)])
    where = f" on {timings['device']}" if timed else ""
    table(f"number formats for {manifest['target']}{where}", columns, rows)
    item("chosen", timings["why"])
    for source in _sources(timings, figure):
        item("", source)
    click.echo()


def _heads(figure: str) -> list[str]:
    return {"latency_ms": ["latency ms", "95 %"], "bytes": []}.get(figure, [figure])


def _speed(timing: Mapping[str, Any], figure: str) -> list[Any]:
    """A cell for each of `_heads`."""
    value = timing.get("figures", {}).get(figure)
    if figure != "latency_ms":
        return [None if value is None else round(value)][: len(_heads(figure))]
    ends = timing.get("interval")
    span = f"{ends[0]:.4g} to {ends[1]:.4g}" if ends else ""
    return [None if value is None else float(f"{value:.4g}"), span]


def _remark(one: Mapping[str, Any], timing: Mapping[str, Any], timed: bool) -> str:
    """What is in the way of it, or what is to be doubted."""
    if one["refused"] or timing.get("wrong"):
        return f"refused: {one['refused'] or timing['reason']}"
    if timed and timing.get("reason"):
        return f"not timed: {timing['reason']}"
    return ", ".join([*timing.get("codes", ()), *_budget(one)])


def _budget(one: Mapping[str, Any]) -> list[str]:
    return [f"budget {one['budget']}"] if one.get("budget") else []


def _sources(timings: Mapping[str, Any], figure: str) -> list[str]:
    """How the figures were found; samples differ from format to format, so the first is told."""
    told = [one["sources"][figure] for one in timings["schemes"].values() if one["figures"]]
    return told[:1]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
