"""MSE: the range with the least expected squared error of quantisation.

A value inside the range errs by rounding, step² / 12 on average; one outside by its distance to
the range. Banner et al., "Post training 4-bit quantization of convolutional networks", 2019,
section 3; Choukroun et al., "Low-bit quantization of neural networks" (OMSE), 2019.
"""

from __future__ import annotations

import numpy as np

from edgekit.calibrate.histogram import Histogram

FINE = 64  # edges next to zero that are all tried
GROWTH = 1.03  # beyond them, the ratio of one candidate to the next


def estimate(histogram: Histogram, levels: int = 256) -> tuple[float, float]:
    """The best pair of bin edges, one on either side of zero."""
    if histogram.counts.sum() == 0 or histogram.width == 0:
        return histogram.low, histogram.high
    edges = histogram.edges
    lows = _candidates(-edges[edges <= 0][::-1])
    highs = _candidates(edges[edges >= 0])
    table = expected_error(histogram, -lows[:, None], highs[None, :], levels)
    row, column = np.unravel_index(np.argmin(table), table.shape)
    return -float(lows[row]), float(highs[column])


def expected_error(
    histogram: Histogram, low: np.ndarray, high: np.ndarray, levels: int = 256
) -> np.ndarray:
    """Sum over all values of the expected squared error of quantisation to [low, high].

    Args:
        histogram: Of the tensor.
        low: Lower ends, <= 0.
        high: Upper ends, >= 0, of a shape that broadcasts with `low`.
        levels: How many integers the range is divided among.

    Returns:
        float64 of the broadcast shape.
    """
    values, counts = histogram.centers, histogram.counts.astype(np.float64)
    moments = [np.concatenate(([0.0], np.cumsum(counts * values**power))) for power in range(3)]
    first, last = np.searchsorted(values, low), np.searchsorted(values, high, side="right")
    under = moments[2][first] - 2 * low * moments[1][first] + low**2 * moments[0][first]
    rest = [moment[-1] - moment[last] for moment in moments]
    over = rest[2] - 2 * high * rest[1] + high**2 * rest[0]
    step = (high - low) / (levels - 1)
    inside = moments[0][last] - moments[0][first]
    error: np.ndarray = under + over + inside * step**2 / 12
    return error


def _candidates(distances: np.ndarray) -> np.ndarray:
    """A thinned copy of the distances from zero (ascending): all the small ones, the largest."""
    if distances.size == 0:
        return np.zeros(1)
    count = distances.size
    steps = int(np.ceil(np.log(max(1.0, count / FINE)) / np.log(GROWTH)))
    picks = np.concatenate((np.arange(FINE), FINE * GROWTH ** np.arange(steps), [count - 1]))
    index = np.unique(np.minimum(picks, count - 1).astype(np.int64))
    return distances[index]
