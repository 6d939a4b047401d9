"""Min-max: nothing is clipped. What the TensorFlow converter does."""

from __future__ import annotations

from edgekit.calibrate.histogram import Histogram


def estimate(histogram: Histogram, levels: int = 256) -> tuple[float, float]:
    """The histogram's own range."""
    return histogram.low, histogram.high
