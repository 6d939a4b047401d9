"""Percentile: at either end the rarest 0.01 % of the values are clipped.

Wu et al., "Integer Quantization for Deep Learning Inference", 2020, section 5.2.
"""

from __future__ import annotations

import numpy as np

from edgekit.calibrate.histogram import Histogram

PERCENTILE = 99.99


def estimate(
    histogram: Histogram, levels: int = 256, percentile: float = PERCENTILE
) -> tuple[float, float]:
    """The range between the two percentiles, linear inside a bin.

    Args:
        histogram: Of the tensor.
        levels: Not used.
        percentile: Share of the values, zeros included, that neither end may cut; percent.
    """
    total = int(histogram.counts.sum()) + histogram.zeros
    if total == 0 or histogram.width == 0:
        return histogram.low, histogram.high
    edges = histogram.edges
    below = np.concatenate(([0], np.cumsum(histogram.counts))).astype(np.float64)
    cut = total * (1 - percentile / 100)
    # Zeros lie between the two sides: for the upper end they are all below it, and vice versa.
    high = np.interp(below[-1] - cut, below, edges)
    low = np.interp(cut, below, edges)
    return min(0.0, float(low)), max(0.0, float(high))
