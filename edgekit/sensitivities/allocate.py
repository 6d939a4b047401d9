"""How one amount for the whole model is parted among its layers by what each of them costs.

The curves are taken for independent of each other: what two layers cost together is not measured.
Then the cheapest way to save an amount is to take, again and again, the step with the least loss
for what it saves, where steps run along the lower convex hull of each curve (Everett 1963,
doi:10.1287/opre.11.3.399: the optimum of the Lagrangian).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from edgekit.errors import UsageError
from edgekit.sensitivities.result import Curve, Kind, Sensitivity

Unit = Literal["parameters", "macs", "bits"]
Levels = Mapping[str, float]
_UNITS: Mapping[Kind, tuple[Unit, ...]] = {
    "prune": ("parameters", "macs"),
    "remove": ("parameters", "macs"),
    "quantize": ("bits",),
    "activations": (),
}
_FLOAT_BITS = 32
_HALVINGS = 30


@dataclass(frozen=True)
class _Corner:
    """A corner of a curve's hull: what is saved there, at what loss, on which level."""

    saved: float
    loss: float
    level: float


def allocate(
    sensitivity: Sensitivity,
    kind: Kind,
    share: float,
    unit: Unit = "parameters",
    *,
    layers: Sequence[str] | None = None,
    saved: Callable[[Levels], float] | None = None,
) -> dict[str, float]:
    """The level of each layer that saves a share of all at the least loss.

    Args:
        sensitivity: The analysis.
        kind: `prune` or `remove`, whose levels may lie between the measured ones, or `quantize`,
            whose levels are measured ones, or 32.
        share: Of what the layers have, that is to be saved: 0.7 leaves 0.3 of it. For `quantize`
            of 32 bits a weight: 0.75 comes to 8 bits on average.
        unit: What is saved; `bits` for `quantize`.
        layers: Names of the layers that may change; None: all.
        saved: The share that levels save, where it is not what the layers save one by one: a
            kernel between two narrower layers shrinks by both. It never falls as levels rise.

    Returns:
        Level by the name of the layer (`Curve.layer`), 0 or 32 where it stays as it is.

    Raises:
        UsageError: No such curves, a layer without one, or more than the curves can save.
    """
    curves = _chosen(sensitivity, kind, unit, layers)
    start = float(_FLOAT_BITS if kind == "quantize" else 0)
    hulls = {curve.layer: _hull(curve, unit, start) for curve in curves}
    total = sum(_whole(curve, unit) for curve in curves)
    measure = saved or (lambda levels: _added(hulls, levels) / max(total, 1))
    levels = dict.fromkeys(hulls, start)
    for layer, before, after in _steps(hulls):
        if measure(levels) >= share:
            return levels
        levels[layer] = after.level
        if kind != "quantize" and measure(levels) >= share:
            return levels | {layer: _enough(levels, layer, before.level, measure, share)}
    if measure(levels) < share:
        raise UsageError(
            f"the levels that were measured save {measure(levels):.2f} of the {unit}, not "
            f"{share:g}",
            "ask for less, or analyse more: edgekit sensitivity --levels 0.5,0.8,0.95",
        )
    return levels


def _chosen(
    sensitivity: Sensitivity, kind: Kind, unit: Unit, layers: Sequence[str] | None
) -> list[Curve]:
    if unit not in _UNITS[kind]:
        units = " or ".join(_UNITS[kind]) or "nothing that could be parted"
        raise UsageError(f"{kind} saves {units}, not {unit}", "choose another unit or kind")
    known = {curve.layer: curve for curve in sensitivity.of(kind)}
    wanted = list(known) if layers is None else list(layers)
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        about = f" of {unknown[0]}" if unknown else ""
        raise UsageError(
            f"the sensitivity analysis has no curve{about} for {kind}",
            f"analyse it: edgekit sensitivity MODEL --kinds {kind}",
        )
    return [curve for name, curve in known.items() if name in wanted]


def _whole(curve: Curve, unit: Unit) -> int:
    """What there is to be saved."""
    if unit == "bits":
        return _FLOAT_BITS * curve.parameters
    return curve.macs if unit == "macs" else curve.parameters


def _steps(hulls: Mapping[str, Sequence[_Corner]]) -> list[tuple[str, _Corner, _Corner]]:
    """The sides of all hulls, the least loss for what is saved first."""
    sides = [(layer, one, other) for layer, hull in hulls.items() for one, other in pairwise(hull)]
    return sorted(sides, key=lambda side: _slope(side[1], side[2]))


def _added(hulls: Mapping[str, Sequence[_Corner]], levels: Levels) -> float:
    """What the layers save one by one."""
    total = 0.0
    for layer, hull in hulls.items():
        corners = sorted(hull, key=lambda corner: corner.level)
        places, amounts = [c.level for c in corners], [c.saved for c in corners]
        total += float(np.interp(levels[layer], places, amounts))
    return total


def _enough(
    levels: Levels,
    layer: str,
    begin: float,
    measure: Callable[[Levels], float],
    share: float,
) -> float:
    """The lowest level of the layer, from `begin` on, at which the share is saved."""
    low, high = begin, levels[layer]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if measure({**levels, layer: middle}) >= share:
            high = middle
        else:
            low = middle
    return high


def _hull(curve: Curve, unit: Unit, start: float) -> list[_Corner]:
    """The corners of the lower convex hull, from the layer as it is."""
    hull: list[_Corner] = []
    for corner in _monotone(curve, unit, start):
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) >= _slope(hull[-1], corner):
            hull.pop()
        hull.append(corner)
    return hull


def _slope(one: _Corner, other: _Corner) -> float:
    return (other.loss - one.loss) / (other.saved - one.saved)


def _monotone(curve: Curve, unit: Unit, start: float) -> list[_Corner]:
    """Points that save ever more, at losses that never fall: the nearest by least squares.

    Pool adjacent violators (Barlow et al. 1972); the first, the layer as it is, costs nothing.
    """
    points, most = [], 0.0
    for point in curve.points:
        amount = float(getattr(point, unit))
        if amount > most:
            points.append(_Corner(amount, max(point.loss, 0.0), point.level))
            most = amount
    pools: list[tuple[float, int]] = []
    for corner in points:
        mean, count = corner.loss, 1
        while pools and pools[-1][0] > mean:
            other, many = pools.pop()
            mean, count = (mean * count + other * many) / (count + many), count + many
        pools.append((mean, count))
    losses = [mean for mean, count in pools for _ in range(count)]
    smooth = [_Corner(c.saved, loss, c.level) for c, loss in zip(points, losses, strict=True)]
    return [_Corner(0.0, 0.0, start), *smooth]
