"""Energy of windows: traces whose energy is known in closed form, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import DataError, UsageError
from edgekit.measure.energy import Idle, Span, combine, edges, idle, marks, window_energy
from edgekit.power.base import MeterInfo, Trace

METER = MeterInfo("test meter", "board", gain_uncertainty=0.01)


def gross(trace: Trace, start: float, end: float) -> float:
    found = window_energy(trace, Span(start, end)).gross_j
    assert found is not None
    return found


def steps(power: list[float], period: float = 0.001, pin: list[int] | None = None) -> Trace:
    """Means of a period each."""
    time = np.arange(len(power)) * period
    digital = {} if pin is None else {"D0": np.array(pin, np.uint8)}
    return Trace(time, power_w=np.array(power), digital=digital, sample="mean")


@given(
    st.lists(st.floats(0.001, 0.5), min_size=20, max_size=200),
    st.floats(0.0, 5.0),
    st.floats(-0.3, 0.3),
    st.floats(0.05, 0.4),
    st.floats(0.5, 0.95),
)
def test_ramp_sampled_irregularly_is_exact(
    spaces: list[float], offset: float, slope: float, start: float, end: float
) -> None:
    time = np.concatenate([[7.0], 7.0 + np.cumsum(spaces)])
    length = time[-1] - time[0]
    offset += abs(slope) * length
    trace = Trace(time, power_w=offset + slope * (time - 7.0))
    a, b = 7 + start * length, 7 + end * length
    exact = offset * (b - a) + slope * ((b - 7) ** 2 - (a - 7) ** 2) / 2
    assert gross(trace, a, b) == pytest.approx(exact, rel=1e-9, abs=1e-12)


@given(st.floats(0.01, 0.9), st.floats(0.02, 0.5), st.sampled_from([None, 0.0, 0.5]))
def test_adjoining_windows_add_up(first: float, more: float, phase: float | None) -> None:
    time = np.linspace(0, 2, 501)
    power = 0.05 + 0.04 * np.sin(2 * np.pi * (3 * time + (phase or 0)))
    trace = Trace(time, power_w=power, sample="instant" if phase is None else "mean")
    whole = gross(trace, 0.005, first + more)
    assert gross(trace, 0.005, first) + gross(trace, first, first + more) == pytest.approx(whole)


def test_sine_converges_to_its_integral() -> None:
    time = np.linspace(0, 3, 30_001)
    trace = Trace(time, power_w=0.1 + 0.05 * np.sin(2 * np.pi * 10 * time))
    a, b = 0.5123, 1.9871
    exact = 0.1 * (b - a) + 0.05 * (math.cos(20 * math.pi * a) - math.cos(20 * math.pi * b)) / (
        20 * math.pi
    )
    assert gross(trace, a, b) == pytest.approx(exact, rel=1e-6)


def test_current_times_voltage_is_power_and_volts_may_sag() -> None:
    time = np.linspace(0, 10, 101)
    current, voltage = np.full(101, 0.02), 5.0 - 0.1 * time
    trace = Trace(time, current_a=current, voltage_v=voltage)
    assert gross(trace, 2.0, 6.0) == pytest.approx(0.02 * (5 * 4 - 0.1 * (36 - 4) / 2))
    with pytest.raises(DataError, match="no voltage"):
        window_energy(Trace(time, current_a=current), Span(2, 6))


def test_counter_is_read_off_between_its_samples() -> None:
    time = np.array([0.0, 1.0, 2.5, 4.0])
    trace = Trace(time, energy_j=np.array([10.0, 12.0, 15.0, 21.0]))
    assert gross(trace, 0.5, 3.25) == pytest.approx(18.0 - 11.0)


def test_counter_that_falls_is_refused_with_what_to_do() -> None:
    trace = Trace(np.array([0.0, 1, 2, 3]), energy_j=np.array([10.0, 12, 1, 3]))
    with pytest.raises(DataError, match="counter falls") as caught:
        window_energy(trace, Span(0.5, 2.5))
    assert "energy_range_j" in caught.value.hint
    assert gross(trace, 2.0, 3.0) == pytest.approx(2.0)


def test_means_count_whole_samples_that_begin_in_the_window() -> None:
    trace = steps([1.0, 2.0, 4.0, 8.0, 16.0])
    assert gross(trace, 0.001, 0.003) == pytest.approx(0.006)
    assert gross(trace, 0.0011, 0.0031) == pytest.approx(0.012)
    assert gross(trace, 0.003, 0.005) == pytest.approx(0.024), "the last sample lasts a period"


def test_step_of_power_with_its_pin_is_exact_and_a_ramp_nearly() -> None:
    time = np.arange(300) * 0.01
    pin = (time >= 1) & (time < 2)
    step = Trace(time, power_w=np.where(pin, 0.05, 0.01), digital={"D0": pin.astype("u1")})
    (span,) = edges(step, "D0")
    assert window_energy(step, span).gross_j == pytest.approx(0.05, rel=1e-9)
    ramp = replace(step, power_w=0.01 * time)
    assert window_energy(ramp, span).gross_j == pytest.approx(0.015, rel=1e-4)


def test_energy_of_a_window_and_its_uncertainty() -> None:
    time = np.linspace(0, 4, 4001)
    trace = Trace(time, power_w=np.full(4001, 0.05), clock_error_s=0.003)
    window = window_energy(trace, Span(1.0, 3.0, 0.004), inferences=20)
    assert window.gross_j == pytest.approx(0.1)
    assert window.mean_power_w == pytest.approx(0.05)
    assert window.per_inference_uj == pytest.approx(5000)
    assert window.synchronisation_j == pytest.approx(0.05 * math.hypot(0.001, 0.003, 0.004))
    assert (window.net_j, window.codes) == (None, ())
    seen = window_energy(trace, Span(1.0, 3.0, seen=True))
    assert seen.synchronisation_j == pytest.approx(0.05 * 0.001), "the trace's clock is no matter"


def test_window_that_its_marks_make_uncertain_is_too_short() -> None:
    trace = Trace(np.linspace(0, 4, 41), power_w=np.full(41, 0.05))
    assert window_energy(trace, Span(1.0, 2.0)).codes == ("window_too_short",)
    assert window_energy(trace, Span(1.0, 2.0)).gross_j == pytest.approx(0.05)
    fine = Trace(np.linspace(0, 4, 4001), power_w=np.full(4001, 0.05), clock_error_s=0.02)
    assert window_energy(fine, Span(1.0, 2.0)).codes == ("clocks_apart",)
    assert window_energy(fine, Span(1.0, 2.0, seen=True)).codes == ()
    assert window_energy(fine, Span(0.5, 3.5)).codes == ()


def test_net_is_less_what_idling_draws_in_that_time() -> None:
    time = np.linspace(0, 20, 20_001)
    noise = np.random.default_rng(1).normal(0, 0.001, time.size)
    power = np.where(time < 10, 0.02, 0.05) + noise
    trace = Trace(time, power_w=power)
    base = idle(trace, Span(1, 9), "before the run")
    assert base.power_w == pytest.approx(0.02, abs=5e-5)
    assert base.standard_error_w == pytest.approx(0.001 / math.sqrt(8000), rel=0.7)
    window = window_energy(trace, Span(11, 19), 100, base)
    assert window.net_j == pytest.approx(0.03 * 8, rel=1e-3)
    assert window.baseline_j == pytest.approx(base.standard_error_w * 8)


def test_idle_of_means_does_not_depend_on_where_blocks_begin() -> None:
    base = idle(steps([0.02] * 107), Span(0.0, 0.107), "rest")
    assert base.power_w == pytest.approx(0.02)
    assert base.standard_error_w == pytest.approx(0, abs=1e-12)


def test_idle_above_the_window_gives_no_net() -> None:
    trace = steps([0.05] * 1000)
    window = window_energy(trace, Span(0.1, 0.9), 10, Idle(0.06, 0.0, "a busy board"))
    assert (window.net_j, window.codes) == (None, ("idle_above_window",))
    assert window.gross_j == pytest.approx(0.04)


def test_gap_in_a_window_refuses_its_figures_and_no_other() -> None:
    trace = replace(steps([0.05] * 1000), gaps=((0.2, 0.21),))
    lost = window_energy(trace, Span(0.1, 0.4), 10)
    assert (lost.gross_j, lost.per_inference_uj, lost.codes) == (None, None, ("samples_lost",))
    whole = window_energy(trace, Span(0.5, 0.9), 10)
    assert whole.gross_j == pytest.approx(0.02)
    energy = combine([lost, whole], METER)
    assert (energy.median_uj, energy.codes) == (pytest.approx(2000), ("samples_lost",))
    with pytest.raises(DataError, match="lost while the device idled"):
        idle(trace, Span(0.1, 0.4), "rest")
    beside = replace(trace, time_s=np.where(trace.time_s < 0.2, trace.time_s, trace.time_s + 5))
    beside = replace(beside, gaps=((0.2, 5.2),))
    assert gross(beside, 0.1, 0.2) == pytest.approx(0.005), "a sample ends where a gap begins"


BAD = {
    "not a number": ([0.05, math.nan, 0.05], [0, 1, 2], Span(0.5, 1.5), "not a number"),
    "below zero": ([0.05, -0.02, 0.05], [0, 1, 2], Span(0.5, 1.5), "below zero"),
    "all below zero": ([-0.05, -0.05, -0.05], [0, 1, 2], Span(0.5, 1.5), "below zero"),
    "unsorted": ([0.05, 0.05, 0.05], [0, 2, 1], Span(0.5, 0.7), "do not ascend"),
    "time not a number": ([0.05, 0.05, 0.05], [0, math.nan, 2], Span(0.5, 0.7), "do not ascend"),
    "before": ([0.05, 0.05, 0.05], [0, 1, 2], Span(-0.5, 1.0), "not in the trace"),
    "after": ([0.05, 0.05, 0.05], [0, 1, 2], Span(1.0, 3.5), "not in the trace"),
    "no length": ([0.05, 0.05, 0.05], [0, 1, 2], Span(1.0, 1.0), "has no length"),
    "backwards": ([0.05, 0.05, 0.05], [0, 1, 2], Span(1.5, 1.0), "has no length"),
    "one sample": ([0.05], [0], Span(0.0, 1.0), "1 samples"),
    "uneven": ([0.05, 0.05], [0, 1, 2], Span(0.5, 1.0), "2 values of power_w and 3 times"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("sample", ["instant", "mean"])
def test_what_cannot_be_is_refused(case: str, sample: str) -> None:
    power, time, span, message = BAD[case]
    trace = Trace(np.array(time, float), power_w=np.array(power), sample=sample)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=message) as caught:
        window_energy(trace, span)
    assert caught.value.hint


def test_noise_around_nothing_is_not_refused() -> None:
    power = np.tile([0.05, 0.0001, -0.0002], 100)
    assert gross(Trace(np.arange(300) * 0.01, power_w=power), 0.5, 2.0) > 0


def test_median_and_uncertainty_over_windows() -> None:
    trace = steps([0.05] * 2000 + [0.051] * 2000 + [0.056] * 2000)
    spans = [Span(0.0, 2.0), Span(2.0, 4.0), Span(4.0, 6.0)]
    base = Idle(0.01, 0.0005, "a night")
    energy = combine([window_energy(trace, s, 10, base) for s in spans], METER, ("charging",), base)
    assert energy.median_uj == pytest.approx(10_200)
    assert energy.net_median_uj == pytest.approx(8_200)
    assert energy.terms.statistics == pytest.approx(np.std([10e3, 10.2e3, 11.2e3], ddof=1) / 3**0.5)
    assert energy.terms.gain == pytest.approx(102)
    assert energy.terms.synchronisation == pytest.approx(0.051 * 0.001 / 10 * 1e6)
    assert energy.terms.baseline == pytest.approx(0.0005 * 2 / 10 * 1e6)
    gross_terms = (energy.terms.statistics, energy.terms.gain, energy.terms.synchronisation)
    assert energy.uncertainty_uj == pytest.approx(2 * math.hypot(*gross_terms))
    assert energy.net_uncertainty_uj == pytest.approx(
        2 * math.hypot(*gross_terms, energy.terms.baseline)
    )
    report = energy.to_json()
    assert [window["per_inference_uj"] for window in report["windows"]] == pytest.approx(
        [10_000, 10_200, 11_200]
    )
    assert report["codes"] == ["charging"]
    assert report["meter"]["scope"] == "board"
    assert report["idle"]["source"] == "a night"


def test_nothing_is_guessed_where_inferences_are_not_known() -> None:
    energy = combine([window_energy(steps([0.05] * 2000), Span(0.1, 1.1))], METER)
    assert energy.windows[0].gross_j == pytest.approx(0.05)
    assert (energy.median_uj, energy.uncertainty_uj, energy.net_median_uj) == (None, None, None)
    assert energy.to_json()["windows"][0]["per_inference_uj"] is None


def test_one_window_has_no_statistics_and_an_estimate_is_named_one() -> None:
    windows = [window_energy(steps([0.05] * 2000), Span(0.1, 1.1), 10)]
    energy = combine(windows, MeterInfo("estimate", "none", estimated=True))
    assert (energy.terms.statistics, energy.terms.gain) == (None, None)
    assert energy.codes == ("estimated",)


def test_stated_uncertainty_covers_a_window_that_is_off_by_a_sample() -> None:
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(200):
        start, length = rng.uniform(0.5, 0.6), rng.uniform(0.3, 0.4)
        time = np.arange(1500) * 0.001 + rng.uniform(0, 0.001)
        busy = (time >= start) & (time < start + length)
        trace = Trace(time, power_w=np.where(busy, 0.05, 0.01), digital={"D0": busy.astype("u1")})
        energy = combine([window_energy(trace, edges(trace, "D0")[0], 1)], METER)
        assert energy.median_uj is not None
        assert energy.uncertainty_uj is not None
        inside += abs(energy.median_uj - 50_000 * length) <= energy.uncertainty_uj
    assert inside >= 190


def pin(levels: list[int]) -> Trace:
    return steps([0.05] * len(levels), pin=levels)


def spans_ms(trace: Trace, active: str = "auto") -> list[tuple[int, int]]:
    found = edges(trace, "D0", active)  # type: ignore[arg-type]
    return [(round(span.start_s * 1000), round(span.end_s * 1000)) for span in found]


@pytest.mark.parametrize(
    ("levels", "active", "windows"),
    [
        ([0, 0, 1, 1, 1, 0, 1, 1, 0], "auto", [(2, 5), (6, 8)]),
        ([1, 1, 0, 0, 0, 1, 0, 0, 1], "auto", [(2, 5), (6, 8)]),
        ([1, 1, 0, 0, 1, 1, 1, 0, 0], "high", [(4, 7)]),
        ([0, 1, 1, 0, 0, 1, 1, 0, 1], "low", [(3, 5), (7, 8)]),
        ([0, 1, 1, 0, 0, 1, 1], "auto", [(1, 3)]),
        ([0, 1, 0, 0, 0, 0, 1, 0], "auto", [(1, 6)]),
        ([1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1], "auto", [(1, 6), (9, 13)]),
        ([0, 1, 0, 1, 0, 0, 0, 0, 1, 0], "auto", [(3, 8)]),
        ([0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0], "pulse", [(1, 8)]),
    ],
    ids=[
        "held high",
        "held low",
        "begins in a window",
        "low on demand",
        "ends in a window",
        "two pulses",
        "falling pulses",
        "a twitch before two pulses",
        "long pulses on demand",
    ],
)
def test_windows_by_edges(levels: list[int], active: str, windows: list[tuple[int, int]]) -> None:
    assert spans_ms(pin(levels), active) == windows


def test_channel_that_marks_nothing_or_is_not_there() -> None:
    with pytest.raises(DataError, match="D0 marks no window"):
        edges(pin([0, 0, 0, 1, 1]), "D0")
    with pytest.raises(UsageError, match="no digital channel 'D7'") as caught:
        edges(pin([0, 1, 0]), "D7")
    assert caught.value.hint == "it has: D0"


def test_marks_are_pairs_and_a_leading_one_starts_the_run() -> None:
    assert marks([1.0, 2.0, 3.0, 4.0], 0.1) == [Span(1.0, 2.0, 0.1), Span(3.0, 4.0, 0.1)]
    assert marks([0.01, 1.0, 2.0]) == [Span(1.0, 2.0)]
    with pytest.raises(DataError, match="no pair"):
        marks([1.0])
    with pytest.raises(DataError, match="do not ascend: 2 s comes late"):
        marks([3.0, 2.0])
