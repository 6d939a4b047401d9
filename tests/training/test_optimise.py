from __future__ import annotations

import numpy as np
import pytest

from edgekit.training.optimise import Clip, adam


@pytest.mark.parametrize(
    ("steps", "peak"), [pytest.param(100, 5, id="with a rise"), pytest.param(3, 0, id="too short")]
)
def test_the_rate_rises_and_falls_to_zero(steps: int, peak: int) -> None:
    schedule = adam(0.01, steps)._learning_rate
    rates = [float(schedule(step)) for step in range(steps + 1)]
    assert int(np.argmax(rates)) == peak
    assert rates[peak] == pytest.approx(0.01)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("size", [pytest.param(1e-4, id="small"), pytest.param(1e4, id="large")])
def test_only_leaps_are_clipped_whatever_is_usual(size: float) -> None:
    clip, usual = Clip(), np.full(4, size, np.float32)
    for step in range(1, 100):
        (kept, _) = clip([usual, None], step)
        np.testing.assert_allclose(kept, usual, rtol=1e-5)
    (leapt, nothing) = clip([usual * 1000, None], 100)
    assert nothing is None
    assert 5 < np.asarray(leapt)[0] / size < 200


def test_a_start_without_gradients_holds_nothing_back() -> None:
    clip = Clip()
    np.testing.assert_array_equal(clip([np.zeros(3, np.float32)], 1)[0], np.zeros(3))
    np.testing.assert_allclose(clip([np.ones(3, np.float32)], 2)[0], np.ones(3), rtol=1e-5)
