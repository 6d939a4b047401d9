"""Latency: figures that can be checked by hand, and an interval that holds what it promises."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.measure import latency
from edgekit.measure.latency import expanded_tail, student, summarise


def test_figures_of_samples_that_can_be_counted() -> None:
    found = summarise([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 110.0]])
    assert (found.median_ms, found.min_ms, found.samples) == (5.5, 1.0, 10)
    assert (found.p25_ms, found.p75_ms) == (3.25, 7.75)
    assert found.mean_ms == 15.5
    assert found.outliers == 0.1
    assert found.windows_ms == (2.0, 7.0)
    assert found.low_ms is not None
    assert found.high_ms is not None
    assert found.low_ms <= 5.5 <= found.high_ms


def test_one_window_has_no_interval() -> None:
    found = summarise([[2.0, 2.0]])
    assert (found.low_ms, found.high_ms, found.median_ms) == (None, None, 2.0)
    assert sum(found.histogram) == 2


def test_histogram_leaves_only_the_slow_tail_out() -> None:
    samples = [1.0 + number / 1000 for number in range(1000)] + [50.0]
    found = summarise([samples, samples])
    assert sum(found.histogram) == 2000
    assert len(found.histogram) == 40


# Quantiles of Student's t at 0.975: Fisher and Yates 1963, Statistical Tables, table III.
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 30: 2.042}


@pytest.mark.parametrize(("free", "quantile"), STUDENT.items())
def test_quantiles_of_student(free: int, quantile: float) -> None:
    assert student(0.975, free) == pytest.approx(quantile, rel=0.01)


def test_few_windows_reach_further_out() -> None:
    tails = [expanded_tail(windows) for windows in (2, 3, 5, 10, 1000)]
    assert tails == sorted(tails)
    assert tails[-1] == pytest.approx(0.025, rel=0.01)
    assert tails[2] < 0.002


def test_interval_holds_the_median_in_most_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows that differ by 2 %, samples by 1 %: the true median is 10 ms."""
    monkeypatch.setattr(latency, "RESAMPLES", 300)
    draw = np.random.default_rng(5)
    held = 0
    for run in range(60):
        windows = [
            10 * (1 + 0.02 * draw.standard_normal()) * (1 + 0.01 * draw.standard_normal(60))
            for _ in range(5)
        ]
        found = summarise([list(window) for window in windows], seed=run)
        assert found.low_ms is not None
        assert found.high_ms is not None
        held += found.low_ms <= 10 <= found.high_ms
    assert held >= 53  # 95 % of 60 are 57; five windows give no more than 90 % for sure


def test_same_samples_give_the_same_interval() -> None:
    windows = [[1.0, 1.1], [1.2, 1.3], [0.9, 1.0]]
    assert summarise(windows) == summarise(windows)
