"""What a bench found, as a person wants to see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._picture import bars
from edgekit.cli._table import item, table
from edgekit.layer_names import short
from edgekit.measure.verdict import advice

if TYPE_CHECKING:
    from edgekit.devices.base import Board, Golden
    from edgekit.harness.report import Report
    from edgekit.measure.energy import Energy
    from edgekit.measure.latency import Latency
    from edgekit.measure.sustained import Sustained

TOTALS = (
    ("instructions", "instructions", ""),
    ("flash", "flash_bytes", "B"),
    ("RAM", "ram_bytes", "B"),
    ("stack", "stack_bytes", "B"),
    ("cycles", "cycles_estimated", ""),
    ("latency", "latency_ms_estimated", "ms"),
    ("energy", "energy_mj_estimated", "mJ"),
)
CURVE = 60
"""Bars that a curve over time is drawn with, at most."""
FLOOR = 0.8
"""Share of the lowest point at which its bars begin."""


def print_report(report: Report) -> None:
    """Figures first, each with what it was measured with, then the verdict and what to do."""
    if report.emulated is not None:
        _emulated(report, report.emulated)
    if report.latency is not None:
        click.secho(f"{report.target} on {report.device}", bold=True)
        _latency(report.latency)
    if report.energy is not None:
        _energy(report.energy, report.meter)
    if report.sustained is not None:
        _sustained(report.sustained)
    item("golden", _golden(report.golden))
    item("verdict", report.validity)
    for code, text in advice(report.codes).items():
        item("", f"{code}: {text}")
    if report.folder:
        item("run", report.folder)


def _latency(latency: Latency) -> None:
    known = latency.low_ms is not None and latency.high_ms is not None
    span = f" (95 %: {latency.low_ms:.4g} to {latency.high_ms:.4g})" if known else ""
    item("latency", f"{latency.median_ms:.4g} ms{span}, the median")
    item(
        "",
        f"min {latency.min_ms:.4g}, p25 {latency.p25_ms:.4g}, p75 {latency.p75_ms:.4g}, "
        f"p95 {latency.p95_ms:.4g}, mean {latency.mean_ms:.4g} ms; "
        f"{100 * latency.outliers:.2g} % outliers",
    )
    windows = len(latency.windows_ms)
    item("", f"{latency.samples:,} samples in {windows} window{'s' * (windows > 1)}")
    if latency.samples > windows:
        drawn = bars(latency.histogram)
        item("", f"{latency.min_ms:.4g} |{drawn}| {latency.histogram_end_ms:.4g} ms")


def _energy(energy: Energy, meter: str) -> None:
    if energy.median_uj is None or energy.uncertainty_uj is None:
        item("energy", "no figure, see the verdict")
        return
    word = "estimated" if energy.info.estimated else "measured"
    scope = "" if energy.info.scope == "none" else f"; of the {energy.info.scope}"
    item(
        "energy",
        f"{energy.median_uj / 1e3:.4g} ± {energy.uncertainty_uj / 1e3:.2g} mJ gross, {word} with "
        f"{meter} ({energy.info.name}{scope})",
    )
    if energy.net_median_uj is not None and energy.net_uncertainty_uj is not None:
        about = f"{energy.net_median_uj / 1e3:.4g} ± {energy.net_uncertainty_uj / 1e3:.2g}"
        item("", f"{about} mJ net of the idle device")


def _sustained(sustained: Sustained) -> None:
    curve = sustained.curve
    step = max(1, -(-len(curve) // CURVE))
    latencies = [point.median_ms for point in curve[::step]]
    end = curve[-1].time_s
    slower = sustained.hot_ms / sustained.cold_ms - 1
    item(
        "sustained",
        f"{sustained.cold_ms:.4g} ms cold, {sustained.hot_ms:.4g} ms hot ({slower:+.1%})",
    )
    drawn = bars(latencies, least=FLOOR * min(latencies))
    item("", f"0 s |{drawn}| {end:.0f} s, up to {max(latencies):.4g} ms")
    onset = "it did not slow down"
    if sustained.onset_s is not None:
        onset = f"it slowed down for good after {sustained.onset_s:.0f} s"
    item("", onset)
    if sustained.hot_mj is not None and sustained.cold_mj is not None:
        item("", f"{sustained.cold_mj:.4g} mJ cold, {sustained.hot_mj:.4g} mJ hot")


def _golden(golden: Golden) -> str:
    if not golden.compared:
        return "not compared"
    text = f"{golden.compared:,} output values of {golden.vectors} golden vectors are "
    if golden.tolerance:
        return f"{text}within the build's tolerance ({golden.tolerance:g}) of what they should be"
    return f"{text}what they should be"


def _emulated(report: Report, emulated: Mapping[str, Any]) -> None:
    table(f"{report.target} on {report.device}: {emulated['core']}", *_layers(emulated))
    click.echo()
    for name, key, unit in TOTALS:
        item(name, _total(emulated, key, unit, report.board))


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
