"""Energy of a trace for people: the figure, a picture of the trace, its windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgekit.cli._sparkline import sparkline
from edgekit.cli._table import item, table, width

if TYPE_CHECKING:
    from edgekit.measure.energy import Energy
    from edgekit.power.base import Trace

COLUMNS = ("window", "start s", "length s", "gross mJ", "mean mW", "inferences", "uJ each")
WIDEST, BESIDE = 72, 20


def print_energy(energy: Energy, trace: Trace, by: str) -> None:
    """Print it; the median with its uncertainty first."""
    click.secho(_headline(energy), bold=True)
    if energy.net_median_uj is not None and energy.idle is not None:
        net = f"{_pair(energy.net_median_uj, energy.net_uncertainty_uj)} uJ"
        base = f"{energy.idle.power_w * 1e3:,.3f} mW, idle from {energy.idle.source}"
        item("net", f"{net} an inference, less {base}")
    columns = min(width() or WIDEST + BESIDE, WIDEST + BESIDE) - BESIDE
    for line in sparkline(trace, energy.windows, max(columns, 10)):
        click.echo(line)
    table("", COLUMNS, _rows(energy))
    item("uncertainty", _terms(energy))
    item("meter", f"{energy.info.name}, {energy.info.scope}; windows by {by}")
    if energy.codes:
        item("codes", ", ".join(energy.codes))


def _headline(energy: Energy) -> str:
    figures = [window.gross_j for window in energy.windows if window.gross_j is not None]
    if energy.median_uj is not None:
        return f"{_pair(energy.median_uj, energy.uncertainty_uj)} uJ an inference, {_of(figures)}"
    if not figures:
        return "no figure"
    unknown = "inferences unknown: --inferences"
    return f"{sorted(figures)[len(figures) // 2] * 1e3:,.4f} mJ a window, {unknown}"


def _of(figures: list[float]) -> str:
    return "one window, k = 2" if len(figures) == 1 else f"median of {len(figures)} windows, k = 2"


def _pair(value: float, uncertainty: float | None) -> str:
    """Both to two digits of the uncertainty, as the GUM has it (7.2.6)."""
    if not uncertainty:
        return f"{value:,.4g}"
    whole, _, exponent = f"{uncertainty:.1e}".partition("e")
    digits = max(0, 1 - int(exponent))
    return f"{value:,.{digits}f} ± {float(whole) * 10 ** int(exponent):,.{digits}f}"


def _rows(energy: Energy) -> list[list[object]]:
    return [
        [
            index,
            f"{window.start_s:,.3f}",
            f"{window.duration_s:,.3f}",
            None if window.gross_j is None else f"{window.gross_j * 1e3:,.4f}",
            None if window.mean_power_w is None else f"{window.mean_power_w * 1e3:,.3f}",
            window.inferences,
            None if window.per_inference_uj is None else f"{window.per_inference_uj:,.3f}",
        ]
        for index, window in enumerate(energy.windows, 1)
    ]


def _terms(energy: Energy) -> str:
    if energy.median_uj is None:
        return "unknown, as the energy of an inference is"
    terms = energy.terms
    named = (
        ("statistics", terms.statistics, "unknown (one window)"),
        ("gain", terms.gain, "not stated"),
        ("synchronisation", terms.synchronisation, "unknown"),
        ("baseline", terms.baseline, ""),
    )
    known = [
        f"{name} {missing if value is None else f'{value:,.3g} uJ'}"
        for name, value, missing in named
        if value is not None or missing
    ]
    return f"{', '.join(known)} (standard, an inference)"
