"""What int8 costs each layer by itself: of its output, and of its weights."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from edgekit.sensitivities.result import Sensitivity

_BITS = 8


@dataclass(frozen=True)
class Cost:
    """Losses of one layer in int8.

    Attributes:
        output: Where its output alone is rounded.
        weights: Where its weights alone are.
    """

    output: float = 0.0
    weights: float = 0.0

    @property
    def total(self) -> float:
        """Both together, as if they did not meet."""
        return self.output + self.weights


def int8_costs(sensitivity: Sensitivity) -> dict[str, Cost]:
    """Name of a layer or of an input -> what int8 costs it, the dearest first."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for kind, part in (("activations", "output"), ("quantize", "weights")):
        for curve in sensitivity.curves:
            losses = [point.loss for point in curve.points if point.level == _BITS]
            for layer in curve.layers if curve.kind == kind and losses else ():
                found[layer][part] = losses[0]
    costs = {layer: Cost(**parts) for layer, parts in found.items()}
    return dict(sorted(costs.items(), key=lambda each: -each[1].total))
