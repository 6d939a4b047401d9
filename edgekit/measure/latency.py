"""Latency from raw samples of several windows: the median and its interval, never a mean alone.

On a busy machine the mean of a run moves by 17 % from process to process, its median by 1 %; so the
median leads, and its interval comes from the windows, because samples of one process share what
that process was dealt (memory layout, core, clock).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 2000
_KEPT, _ALL_KEPT, _LEAST_KEPT = 1001, 20_000, 21
"""Order statistics that the bootstrap works on: of a window, of all, and of one of very many."""
BINS = 40
FAR_OUT, LEAST_OUT = 3.0, 0.05
"""An outlier lies so many quartile distances above the upper quartile, and 5 % above the median."""


@dataclass(frozen=True)
class Latency:
    """Latency of an inference, in ms.

    Attributes:
        median_ms: Of all samples.
        low_ms: Lower end of the median's 95 % interval; None of a single window.
        high_ms: Upper end.
        p25_ms: Lower quartile.
        p75_ms: Upper quartile.
        p95_ms: 95th percentile.
        min_ms: Fastest sample.
        mean_ms: Average, to be compared with the median: spikes lie between them.
        outliers: Share of samples far above the others; none is left out of any figure.
        samples: How many.
        windows_ms: Median of each window, in order.
        histogram: Samples in bins of one width, from the fastest to `histogram_end_ms`.
        histogram_end_ms: Where the last bin ends; slower samples are in none.
    """

    median_ms: float
    low_ms: float | None
    high_ms: float | None
    p25_ms: float
    p75_ms: float
    p95_ms: float
    min_ms: float
    mean_ms: float
    outliers: float
    samples: int
    windows_ms: tuple[float, ...]
    histogram: tuple[int, ...]
    histogram_end_ms: float

    def to_json(self) -> dict[str, Any]:
        """By the names above."""
        return asdict(self)


def summarise(windows: Sequence[Sequence[float]], seed: int = 0) -> Latency:
    """Figures of the samples of several windows.

    Args:
        windows: ms of each inference, for each window; none empty.
        seed: Of the bootstrap.
    """
    parts = [np.asarray(window, np.float64) for window in windows]
    samples = np.concatenate(parts)
    p25, median, p75, p95 = (float(value) for value in np.percentile(samples, (25, 50, 75, 95)))
    fastest, end = float(samples.min()), p95 + (p95 - median)
    bins, _ = np.histogram(samples, BINS, (fastest, max(end, np.nextafter(fastest, np.inf))))
    fence = max(p75 + FAR_OUT * (p75 - p25), median * (1 + LEAST_OUT))
    low, high = interval(parts, seed) if len(parts) > 1 else (None, None)
    return Latency(
        median_ms=median,
        low_ms=low if low is None else min(low, median),
        high_ms=high if high is None else max(high, median),
        p25_ms=p25,
        p75_ms=p75,
        p95_ms=p95,
        min_ms=fastest,
        mean_ms=float(samples.mean()),
        outliers=float((samples > fence).mean()),
        samples=samples.size,
        windows_ms=tuple(float(np.median(part)) for part in parts),
        histogram=tuple(int(count) for count in bins),
        histogram_end_ms=end,
    )


def interval(windows: Sequence[NDArray[np.float64]], seed: int = 0) -> tuple[float, float]:
    """Interval of the median over windows, of which there are two or more.

    Source: Hesterberg 2015, What Teachers Should Know About the Bootstrap, section 3.2: windows
    are drawn with replacement, and the percentiles are taken wider out, as few windows demand.
    """
    medians = medians_again(windows, np.random.default_rng(seed))
    tail = expanded_tail(len(windows))
    low, high = np.quantile(medians, (tail, 1 - tail))
    return float(low), float(high)


def medians_again(
    windows: Sequence[NDArray[np.float64]], draw: np.random.Generator
) -> NDArray[np.float64]:
    """float64 [RESAMPLES]: the median over windows that were drawn with replacement."""
    count = min(_KEPT, max(_LEAST_KEPT, _ALL_KEPT // len(windows)))
    kept = np.stack([np.quantile(window, np.linspace(0, 1, count)) for window in windows])
    chosen = draw.integers(0, len(kept), (RESAMPLES, len(kept)))
    return np.asarray([np.median(kept[each]) for each in chosen])


def expanded_tail(windows: int) -> float:
    """Share to leave out at each end, so that few windows give an interval wide enough."""
    free = windows - 1
    reach = math.sqrt(windows / free) * student(0.5 + CONFIDENCE / 2, free)
    return NormalDist().cdf(-reach)


def student(probability: float, free: int) -> float:
    """Quantile of Student's t with `free` degrees of freedom.

    Exact for one and two; from three on the expansion of Fisher and Cornish 1960 (Technometrics
    2, 209-225), which is within 1 % there and better with each degree more.
    """
    if free == 1:
        return math.tan(math.pi * (probability - 0.5))
    if free == 2:
        spread = 2 * probability - 1
        return spread * math.sqrt(2 / (1 - spread * spread))
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / free + second / free**2 + third / free**3 + fourth / free**4
