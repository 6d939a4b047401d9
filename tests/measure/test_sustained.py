"""Sustained runs: the curve, when it slows down, and what is hot."""

from __future__ import annotations

import pytest

from edgekit.devices.base import State, Window
from edgekit.measure.sustained import over_time


def windows(medians: list[float]) -> list[Window]:
    return [
        Window(
            (median, median, 9 * median),
            3,
            100.0 + number,
            101.0 + number,
            after=State(
                temperatures_c={"cpu": 40.0 + number, "gpu": 30.0}, frequencies_mhz=(1500.0,)
            ),
        )
        for number, median in enumerate(medians)
    ]


def test_curve_and_ends() -> None:
    found = over_time(windows([5.0] * 10 + [6.0] * 10), [1.0] * 10 + [1.5] * 10)
    assert (found.cold_ms, found.hot_ms) == (5.0, 6.0)
    assert (found.cold_mj, found.hot_mj) == (1.0, 1.5)
    assert found.onset_s == 10.5
    assert found.curve[0].time_s == 0.5
    assert found.curve[19].temperature_c == 59.0
    assert found.to_json()["curve"][3]["median_ms"] == 5.0


SPIKES = {
    "never": [5.0] * 20,
    "a spike in the middle": [5.0] * 9 + [9.0] + [5.0] * 10,
    "a spike at the end": [5.0] * 19 + [9.0],
    "within 5 %": [5.0] * 10 + [5.2] * 10,
}


@pytest.mark.parametrize("medians", SPIKES.values(), ids=SPIKES.keys())
def test_no_throttling_is_claimed_for(medians: list[float]) -> None:
    assert over_time(windows(medians), [None] * 20).onset_s is None


def test_one_window_is_a_curve() -> None:
    found = over_time(windows([5.0]), [None])
    assert (found.cold_ms, found.hot_ms, found.onset_s, found.hot_mj) == (5.0, 5.0, None, None)
