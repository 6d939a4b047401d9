"""The contract of a range estimator.

To add one: put `<name>.py` in this folder with

    def estimate(histogram: Histogram, levels: int) -> tuple[float, float]

The function is pure. It may clip the histogram's range, never widen it; the range it returns holds
zero, because padding and RELU need an exact zero.
"""

from __future__ import annotations

from collections.abc import Callable

from edgekit import _discover
from edgekit.calibrate.histogram import Histogram

Estimator = Callable[[Histogram, int], tuple[float, float]]
PACKAGE = "calibrate.estimators"
LEVELS = 256  # int8


def names() -> list[str]:
    """The estimators there are, `minmax` first: the default, which wins ties."""
    return sorted(_discover.names(PACKAGE), key=lambda name: (name != "minmax", name))


def load(name: str) -> Estimator:
    """The estimator of this name.

    Raises:
        UsageError: There is none.
    """
    found = _discover.load(PACKAGE, name)
    estimate: Estimator = found.estimate if hasattr(found, "estimate") else found
    return estimate
