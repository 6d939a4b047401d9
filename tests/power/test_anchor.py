"""When a stream's samples were taken: bounds by the request and by what comes."""

from __future__ import annotations

import random

import pytest

from edgekit.power._anchor import Anchor


def test_first_sample_lies_between_request_and_the_quickest_block() -> None:
    anchor = Anchor(100.0, 0.001)
    anchor.came(50, 100.070)
    anchor.came(100, 100.110)
    anchor.came(150, 100.180)
    assert anchor.begin_s == pytest.approx(100.005)
    assert anchor.error_s == pytest.approx(0.005 / 3**0.5)
    assert anchor.codes == ()


def test_error_covers_what_is_off_in_most_streams() -> None:
    draw, covered = random.Random(1), 0
    for _ in range(300):
        late = draw.uniform(0, 0.01)
        anchor = Anchor(50.0, 1e-5)
        for count in range(1000, 20_000, 1000):
            delay = 0.002 + draw.expovariate(300)
            anchor.came(count, 50.0 + late + count * 1e-5 + delay)
        covered += abs(anchor.begin_s - (50.0 + late)) <= 2 * anchor.error_s
    assert covered >= 285


def test_more_samples_than_time() -> None:
    anchor = Anchor(100.0, 0.001)
    anchor.came(500, 100.1)
    assert anchor.codes == ("clocks_apart",)
    assert anchor.begin_s == 100.0
