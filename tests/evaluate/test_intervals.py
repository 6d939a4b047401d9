from __future__ import annotations

import numpy as np
import pytest

from edgekit.evaluate.intervals import bootstrap, paired_proportions, wilson


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        pytest.param((36, 12, 2, 0), 0.0569, 0.3404, id="Newcombe 1998: nobody wrong twice"),
        pytest.param((18, 12, 2, 18), 0.0562, 0.3290, id="Newcombe 1998: correlated"),
        pytest.param((53, 0, 0, 1), -0.0729, 0.0729, id="Newcombe 1998: no disagreement"),
        pytest.param((0, 30, 0, 0), 0.8395, 1.0, id="Newcombe 1998: nothing but disagreement"),
        pytest.param((59, 6, 16, 80), -0.1186, -0.0046, id="Fagerland 2014: Cavo 2012"),
    ],
)
def test_published_intervals(cells: tuple[int, int, int, int], low: float, high: float) -> None:
    assert paired_proportions(*cells) == pytest.approx((low, high), abs=5.1e-5)


def test_swapping_the_models_turns_the_interval_round() -> None:
    low, high = paired_proportions(440, 9, 4, 47)
    assert paired_proportions(440, 4, 9, 47) == pytest.approx((-high, -low))


@pytest.mark.parametrize(
    ("chances", "most"),
    [
        pytest.param((0.85, 0.02, 0.01, 0.12), 0.99, id="int8 loses a point"),
        pytest.param((0.5, 0.2, 0.1, 0.2), 0.96, id="they differ a lot"),
        # phi's continuity correction errs on the safe side here, as the paper says
        pytest.param((0.88, 0.005, 0.005, 0.11), 1.0, id="they hardly differ"),
    ],
)
def test_nineteen_of_twenty_intervals_hold_the_truth(
    chances: tuple[float, ...], most: float
) -> None:
    tables = np.random.default_rng(1).multinomial(200, chances, size=3000)
    truth = chances[1] - chances[2]
    limits = np.array([paired_proportions(*map(int, table)) for table in tables])
    covered = float(np.mean((limits[:, 0] <= truth) & (truth <= limits[:, 1])))
    assert 0.94 <= covered <= most


def test_wilson_interval_of_a_textbook_case() -> None:
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998a, table I


def test_bootstrap_agrees_with_the_normal_interval_of_a_mean() -> None:
    values = np.random.default_rng(2).normal(5.0, 2.0, 400)
    low, high = bootstrap(lambda chosen: float(values[chosen].mean()), 400, seed=0)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.04)
    assert bootstrap(lambda c: float(values[c].mean()), 400, seed=0) == (low, high)


def test_every_resample_holds_rows_of_each_group() -> None:
    groups = np.array([0] * 50 + [1])
    seen = []
    bootstrap(lambda chosen: seen.append(groups[chosen].sum()) or 0.0, 51, 0, groups)
    assert set(seen) == {1}
