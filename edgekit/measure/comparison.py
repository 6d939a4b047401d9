"""Two runs side by side: only what is comparable, and whether the second is a regression.

A figure got worse where its ratio, second to first, is above 1 by more than is allowed, and its
interval, where there is one, is above 1 as a whole. Counts of an emulator are exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import UsageError
from edgekit.measure.latency import expanded_tail, medians_again

COUNTED = ("instructions", "flash_bytes", "ram_bytes", "stack_bytes")
SAME = (
    ("kind", "another kind of device", "bench both on devices of one kind"),
    ("settings", "other settings of the run", "give both the same options, e.g. --threads"),
)
Samples = Sequence[NDArray[np.float64]]


@dataclass(frozen=True)
class Change:
    """One figure of two runs.

    Attributes:
        figure: Its name.
        before: Of the first run.
        after: Of the second.
        ratio: Second to first.
        low: Lower end of the ratio's 95 % interval; None where the figure is exact, or the
            interval of one of the two is not known.
        high: Upper end.
        regression: Whether the second is worse by more than is allowed.
    """

    figure: str
    before: float
    after: float
    ratio: float
    low: float | None
    high: float | None
    regression: bool

    def to_json(self) -> dict[str, Any]:
        """By the names above."""
        return asdict(self)


def refuse_other(first: Mapping[str, Any], second: Mapping[str, Any], models: bool = False) -> None:
    """Refuse two reports that say nothing about each other.

    Args:
        first: Report of a run, as JSON.
        second: The other.
        models: Whether two models may be compared.

    Raises:
        UsageError: Another model, another kind of device, other settings, or a run that is
            invalid.
    """
    for report in (first, second):
        if report["validity"] == "invalid":
            codes = ", ".join(report["codes"])
            raise UsageError(f"a run is invalid ({codes})", "bench again and compare valid runs")
    if first["model_sha256"] != second["model_sha256"] and not models:
        hint = "--other-model compares two models all the same"
        raise UsageError("the runs are of two different models", hint)
    for key, name, hint in SAME:
        if first[key] != second[key]:
            raise UsageError(f"{name}: {first[key]} and {second[key]}", hint)


def compare(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    samples: tuple[Samples, Samples] = ((), ()),
    allowed: float = 0.03,
) -> list[Change]:
    """Every figure that both runs have.

    Args:
        first: Report of a run, as JSON.
        second: The other.
        samples: ms of both, by windows; without them the medians of the windows stand for them.
        allowed: Share by which a figure may get worse.
    """
    changes = []
    if first["latency"] and second["latency"]:
        changes.append(_latency(first, second, samples, allowed))
    energies = first["energy"], second["energy"]
    drawn = all(one and one["gross_mj"] for one in energies)
    if drawn and energies[0]["scope"] == energies[1]["scope"]:
        changes.append(_energy(*energies, allowed))
    if first["emulated"] and second["emulated"]:
        changes += _counts(first["emulated"], second["emulated"], allowed)
    return changes


def scopes_apart(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """Why the energies of two runs are not compared, in a line; empty where they are, or lack."""
    scopes = [one["energy"]["scope"] for one in (first, second) if one["energy"]]
    if len(set(scopes)) < 2:
        return ""
    return f"energy is left out: one is of the {scopes[0]}, the other of the {scopes[1]}"


def _latency(
    first: Mapping[str, Any], second: Mapping[str, Any], samples: tuple[Samples, Samples], by: float
) -> Change:
    before, after = first["latency"]["median_ms"], second["latency"]["median_ms"]
    reports = zip(samples, (first, second), strict=True)
    known = [kept or _medians(report["latency"]) for kept, report in reports]
    enough = all(len(side) > 1 for side in known)
    span = ratio_interval(known[0], known[1]) if enough else None
    return _change("latency_ms", before, after, span, by)


def _medians(latency: Mapping[str, Any]) -> Samples:
    """Windows of one sample each, their medians, where no samples were kept."""
    return [np.asarray([median], np.float64) for median in latency.get("windows_ms", ())]


def ratio_interval(before: Samples, after: Samples, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the ratio of two medians, the windows of both drawn independently."""
    draw = np.random.default_rng(seed)
    ratios = medians_again(after, draw) / medians_again(before, draw)
    tail = expanded_tail(min(len(before), len(after)))
    low, high = np.quantile(ratios, (tail, 1 - tail))
    return float(low), float(high)


def _energy(first: Mapping[str, Any], second: Mapping[str, Any], allowed: float) -> Change:
    """Uncertainties are expanded ones of independent runs: their relative squares add up."""
    before, after = first["gross_mj"], second["gross_mj"]
    relative = math.hypot(first["uncertainty_mj"] / before, second["uncertainty_mj"] / after)
    ratio = after / before
    return _change(
        "energy_mj", before, after, (ratio * (1 - relative), ratio * (1 + relative)), allowed
    )


def _counts(first: Mapping[str, Any], second: Mapping[str, Any], allowed: float) -> list[Change]:
    return [
        _change(name, first[name], second[name], None, allowed)
        for name in COUNTED
        if first.get(name) and second.get(name) is not None
    ]


def _change(
    figure: str, before: float, after: float, span: tuple[float, float] | None, allowed: float
) -> Change:
    ratio = after / before
    low, high = span if span else (None, None)
    worse = ratio > 1 + allowed and (low is None or low > 1)
    return Change(figure, before, after, ratio, low, high, worse)
