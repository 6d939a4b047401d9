"""What a worker says of a window and of its device, as pure functions."""

from __future__ import annotations

import pytest

from edgekit.devices._litert.clock import Clock, between
from edgekit.devices._litert.window import jumped, others, to_state, to_window, with_states
from edgekit.devices.base import State

SECOND = 1_000_000_000
SAID = {
    "event": "window",
    "inferences": 2,
    "start_ns": 105 * SECOND,
    "end_ns": 107 * SECOND,
    "first_ns": 3_000_000,
    "start_real_ns": 1_700_000_000 * SECOND,
    "end_real_ns": 1_700_000_002 * SECOND,
}
STATE = {"event": "state", "load": 0.5, "processors": 4, "throttled": [], "charging": None}


def test_times_are_on_the_clock_of_this_machine() -> None:
    window = to_window(SAID, [1.5, 2.5], Clock(100.0, 0.002), 7_000_000)
    assert (window.start_s, window.end_s, window.clock_error_s) == (5.0, 7.0, 0.002)
    assert (window.first_ms, window.init_ms, window.latency_ms) == (3.0, 7.0, (1.5, 2.5))
    assert window.codes == ()


def test_samples_that_did_not_come_are_missed() -> None:
    assert to_window(SAID, [1.5], Clock(0, 0), None).codes == ("samples_lost",)


@pytest.mark.parametrize(
    ("shift", "jump"), [(0.015, False), (-0.015, False), (0.03, True), (-3600, True)]
)
def test_jump_of_the_wall_clock(shift: float, jump: bool) -> None:
    said = {**SAID, "end_real_ns": SAID["end_real_ns"] + int(shift * SECOND)}
    assert jumped(said) is jump
    codes = to_window(said, [1.0, 1.0], Clock(0, 0), None).codes
    assert codes == (("clock_jump",) if jump else ())


def test_slewing_clock_is_no_jump_in_a_long_window() -> None:
    said = {**SAID, "end_ns": 705 * SECOND, "end_real_ns": int(1_700_000_600.3 * SECOND)}
    assert not jumped(said)


def test_two_readings_of_the_clock_differ_by_part_of_the_error() -> None:
    found = between(Clock(10.0, 0.001), Clock(10.004, 0.003))
    assert found.offset_s == pytest.approx(10.002)
    assert found.error_s == pytest.approx(0.005)


def test_what_a_device_does_not_tell_is_none() -> None:
    assert to_state(STATE) == State(load=0.5, processors=4, throttled=())


TIMES = {"t_ns": 0, "busy_ns": 50 * SECOND, "own_ns": SECOND, "listed": 4}


@pytest.mark.parametrize(
    ("busy", "own", "share"), [(52, 3, 0), (60, 3, 0.2), (90, 1, 1), (50, 3, 0)]
)
def test_what_others_took_of_all_processors(busy: int, own: int, share: float) -> None:
    after = {**TIMES, "t_ns": 10 * SECOND, "busy_ns": busy * SECOND, "own_ns": own * SECOND}
    assert others(TIMES, after) == pytest.approx(share)


def test_device_that_tells_no_times_has_no_others() -> None:
    assert others(STATE, STATE) is None
    assert others(TIMES, {**TIMES, "t_ns": 10, "busy_ns": None}) is None
    assert others(TIMES, TIMES) is None


def test_throttling_within_a_window_counts_though_it_is_over() -> None:
    window = to_window(SAID, [1.0, 1.0], Clock(0, 0), None)
    before = {**STATE, "throttled_since_boot": ["under_voltage"]}
    after = {**STATE, "throttled_since_boot": ["under_voltage", "throttled"]}
    assert with_states(window, before, after).after.throttled == ("throttled",)
    assert with_states(window, after, after).after.throttled == ()
