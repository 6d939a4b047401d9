"""Entropy: the clipping that loses least information, by Kullback-Leibler divergence.

Migacz, "8-bit Inference with TensorRT", GTC 2017. TensorRT quantises symmetrically; here the
threshold t applies to the magnitude, so a tensor on one side of zero has all levels for [0, t] and
one on both sides half of them for either.
"""

from __future__ import annotations

import numpy as np

from edgekit.calibrate.histogram import Histogram

BINS = 2048  # of the magnitudes, as in TensorRT
SMALL = 1e-4  # stands for a probability of zero, where the divergence would be infinite
# Share of the values that must stay. Where many are clipped into one bin the two distributions
# agree trivially, and counts of few values are noise that any merging seems to lose.
KEPT = 0.999


def estimate(histogram: Histogram, levels: int = 256) -> tuple[float, float]:
    """The histogram's range, clipped at the best threshold on the magnitude."""
    # With fewer values than bins the histogram is no distribution that could lose information.
    if histogram.counts.sum() < BINS or histogram.width == 0:
        return histogram.low, histogram.high
    magnitudes, limit = _magnitudes(histogram)
    signed = histogram.low < 0 < histogram.high
    kept = best_threshold(magnitudes, levels // 2 if signed else levels)
    threshold = limit * kept / magnitudes.size
    return max(histogram.low, -threshold), min(histogram.high, threshold)


def best_threshold(counts: np.ndarray, levels: int) -> int:
    """How many bins to keep: the count with the least divergence, the largest of equals.

    Args:
        counts: Histogram of magnitudes, first bin at zero.
        levels: How many levels the kept bins are merged into.
    """
    if counts.size <= levels:
        return int(counts.size)
    needed = int(np.searchsorted(np.cumsum(counts), KEPT * counts.sum())) + 1
    kept = range(min(max(levels, needed), counts.size), counts.size + 1)
    divergence = [_divergence(counts, count, levels) for count in kept]
    least = min(divergence)
    return max(count for count, value in zip(kept, divergence, strict=True) if value == least)


def _divergence(counts: np.ndarray, kept: int, levels: int) -> float:
    """KL(P, Q): P is the clipped distribution, Q the same after merging into `levels`."""
    inside = counts[:kept].astype(np.float64)
    if inside.sum() == 0:
        return float("inf")
    reference = inside.copy()
    reference[-1] += counts[kept:].sum()
    starts = np.arange(levels) * kept // levels
    filled = inside > 0
    merged = np.add.reduceat(inside, starts)
    occupied = np.add.reduceat(filled.astype(np.float64), starts)
    share = np.divide(merged, occupied, out=np.zeros(levels), where=occupied > 0)
    spread = np.repeat(share, np.diff(np.append(starts, kept))) * filled
    p, q = reference / reference.sum(), spread / spread.sum()
    both = p > 0
    q = np.where(q == 0, SMALL, q)  # outliers fell into an empty last bin
    return float(np.sum(p[both] * np.log(p[both] / q[both])))


def _magnitudes(histogram: Histogram) -> tuple[np.ndarray, float]:
    """Histogram of the magnitudes in `BINS` bins, and its right edge."""
    limit = max(-histogram.low, histogram.high)
    bins = min(BINS, histogram.counts.size)
    index = np.minimum(np.abs(histogram.centers) / limit * bins, bins - 1).astype(np.int64)
    return np.bincount(index, weights=histogram.counts, minlength=bins), limit
