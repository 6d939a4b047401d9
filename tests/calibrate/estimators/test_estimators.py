"""Every estimator against brute force on distributions that activations have."""

import itertools
import math

import numpy as np
import pytest

from edgekit.calibrate.estimators import base, entropy, mse, percentile
from edgekit.calibrate.histogram import BINS, Counter, Histogram
from edgekit.errors import UsageError

RNG = np.random.default_rng(0)
SETS = {
    "gaussian": RNG.normal(size=20000),
    "rectified": np.maximum(RNG.normal(size=20000), 0),
    "laplace": RNG.laplace(size=20000),
    "outlier": np.append(RNG.normal(size=20000), [400.0]),
    "two outliers": np.append(RNG.normal(size=20000), [-300.0, 400.0]),
    "negative": -RNG.exponential(size=20000),
    "far from zero": RNG.uniform(0.2, 0.7, 160),
}
CASES = pytest.mark.parametrize("values", SETS.values(), ids=SETS.keys())


def of(values: np.ndarray, bins: int = BINS) -> Histogram:
    counter = Counter(values.min(), values.max(), bins)
    counter.add(values)
    return counter.histogram()


def quantisation_error(values: np.ndarray, low: float, high: float) -> float:
    step = (high - low) / 255
    return float(
        np.sum((np.clip(np.round((values - low) / step), 0, 255) * step + low - values) ** 2)
    )


@CASES
@pytest.mark.parametrize("name", base.names())
def test_the_range_holds_zero_and_stays_within_the_values(name: str, values: np.ndarray) -> None:
    histogram = of(values)
    low, high = base.load(name)(histogram, 256)
    assert histogram.low <= low <= 0 <= high <= histogram.high
    assert high > low


@pytest.mark.parametrize("name", base.names())
def test_a_tensor_that_is_always_zero_keeps_its_range(name: str) -> None:
    empty = Histogram(np.zeros(16, np.int64), 0.0, 0.0, zeros=5)
    assert base.load(name)(empty, 256) == (0.0, 0.0)


def test_minmax_comes_first_and_all_four_are_found() -> None:
    assert base.names()[0] == "minmax"
    assert set(base.names()) >= {"minmax", "percentile", "mse", "entropy"}


def test_an_unknown_estimator_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="entropi") as caught:
        base.load("entropi")
    assert "entropy" in caught.value.hint


@CASES
def test_percentile_cuts_its_share_at_either_end_within_a_bin(values: np.ndarray) -> None:
    histogram = of(values)
    low, high = percentile.estimate(histogram, percentile=99.0)
    for end in (-low, high):
        side = values if end == high else -values
        if end > 0:
            assert np.mean(side > end + histogram.width) <= 0.01
            assert np.mean(side >= end - histogram.width) >= 0.01


@CASES
def test_mse_is_the_best_of_all_pairs_of_edges(values: np.ndarray) -> None:
    histogram = of(values, bins=60)
    lows = [edge for edge in histogram.edges if edge <= 0]
    highs = [edge for edge in histogram.edges if edge >= 0]
    pairs = [pair for pair in itertools.product(lows, highs) if pair[0] < pair[1]]
    errors = [_expected_error(histogram, *pair) for pair in pairs]
    found = _expected_error(histogram, *mse.estimate(histogram))
    assert found <= min(errors) * (1 + 1e-9)


@CASES
def test_mse_quantises_no_worse_than_any_scaling_of_the_range(values: np.ndarray) -> None:
    found = quantisation_error(values, *mse.estimate(of(values)))
    low, high = min(0, values.min()), max(0, values.max())
    scalings = [quantisation_error(values, low * s, high * s) for s in np.linspace(0.02, 1, 99)]
    assert found <= min(scalings) * 1.1


@pytest.mark.parametrize("name", ["gaussian", "laplace", "outlier", "rectified"])
def test_entropy_is_the_least_divergence_of_all_thresholds(name: str) -> None:
    counts = np.abs(of(SETS[name], 512).counts)
    magnitudes, _ = entropy._magnitudes(Histogram(counts, 0.0, 1.0))
    total, below = magnitudes.sum(), np.cumsum(magnitudes)
    allowed = [k for k in range(32, 513) if below[k - 1] >= entropy.KEPT * total]
    divergences = {kept: _divergence(magnitudes.tolist(), kept, 32) for kept in allowed}
    found = entropy.best_threshold(magnitudes, 32)
    assert divergences[found] == pytest.approx(min(divergences.values()), abs=1e-12)


def test_estimators_clip_a_lone_outlier_and_minmax_does_not() -> None:
    # One value of 400 costs as much clipped as 780,000 others cost rounded to 400 / 255.
    histogram = of(np.append(RNG.normal(size=2_000_000), [400.0]))
    high = {name: base.load(name)(histogram, 256)[1] for name in base.names()}
    assert high["minmax"] == 400
    assert high["percentile"] < 10
    assert high["mse"] < 150
    assert high["entropy"] < 100


def _expected_error(histogram: Histogram, low: float, high: float) -> float:
    """Banner et al. 2019, bin by bin."""
    total = 0.0
    for value, count in zip(histogram.centers, histogram.counts, strict=True):
        if value < low:
            total += count * (low - value) ** 2
        elif value > high:
            total += count * (value - high) ** 2
        else:
            total += count * ((high - low) / 255) ** 2 / 12
    return total


def _divergence(counts: list[float], kept: int, levels: int) -> float:
    """Migacz 2017, slide by slide."""
    reference = list(counts[:kept])
    reference[-1] += sum(counts[kept:])
    candidate = [0.0] * kept
    for level in range(levels):
        bins = range(level * kept // levels, (level + 1) * kept // levels)
        filled = [place for place in bins if counts[place] > 0]
        for place in filled:
            candidate[place] = sum(counts[b] for b in bins) / len(filled)
    p, q = ([value / sum(side) for value in side] for side in (reference, candidate))
    return sum(a * math.log(a / (b or entropy.SMALL)) for a, b in zip(p, q, strict=True) if a > 0)
