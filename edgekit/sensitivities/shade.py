"""How dark a point is drawn: 0 where it costs next to nothing, 1 where it costs most."""

from __future__ import annotations

import math

from edgekit.sensitivities.result import Point, Sensitivity

_DECADES = 3.0
"""Of loss, from the lightest shade to the darkest."""


def shade(sensitivity: Sensitivity, point: Point) -> float:
    """0..1 by the logarithm of the loss, against the largest of the analysis."""
    worst = max(p.loss for curve in sensitivity.curves for p in curve.points)
    if worst <= 0 or point.loss <= 0:
        return 0.0
    return min(max(1 + math.log10(point.loss / worst) / _DECADES, 0.0), 1.0)


def level(kind: str, value: float) -> str:
    """A level as people write it: a share in percent, or bits."""
    return f"{value:g} bit" if kind in ("quantize", "activations") else f"{100 * value:g} %"


def unit(metric: str) -> str:
    """What a metric is given in, for a head line."""
    return {"sqnr_db": " dB", "mse": "", "mae": ""}.get(metric, " %")
