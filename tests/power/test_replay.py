"""Meters replay, estimate and none: what is no measurement says so."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from edgekit.errors import DeviceError, UsageError
from edgekit.measure.energy import Span, combine, window_energy
from edgekit.power._files.read import read_trace
from edgekit.power.base import Trace, find_meter
from edgekit.power.replay import played


def capture(name: str, given: dict[str, object], seconds: float) -> tuple[Trace, Span]:
    with find_meter(name)(given) as meter:
        meter.open()
        meter.start()
        start = time.monotonic()
        time.sleep(seconds)
        span = Span(start, time.monotonic())
        return meter.stop(), span


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "trace.csv"
    rows = "".join(f"{7 + i / 1000},{0.02 + 0.02 * (i >= 50)},{int(i >= 50)}\n" for i in range(100))
    path.write_text(f"time_s,power_w,D0\n{rows}")
    return path


def test_replay_fills_the_capture_and_no_more(recorded: Path) -> None:
    trace, span = capture("replay", {"path": str(recorded)}, 0.35)
    assert trace.time_s[0] == pytest.approx(span.start_s, abs=0.02)
    assert span.end_s <= trace.time_s[-1] + 0.001 < time.monotonic() + 0.001
    assert np.allclose(np.diff(trace.time_s), 0.001)
    began = float(trace.time_s[0])
    one = window_energy(trace, Span(began + 0.1, began + 0.3), 10)
    assert one.gross_j == pytest.approx(0.006, rel=1e-3)
    assert trace.digital["D0"][:100].sum() == 50
    energy = combine([one], trace.info)
    assert energy.codes == ("estimated",)
    assert energy.info.name == "replay of unknown"


def test_replay_of_the_real_session_keeps_its_gaps(real_models: Path) -> None:
    path = real_models / "device_anchors/mlperf-tiny-js220-ic01.npz"
    trace = played(read_trace(path), 100.0, 100.0)
    window = window_energy(trace, Span(115.269, 116.930), 10)
    assert window.gross_j == pytest.approx(0.134394, abs=1e-4)
    assert window_energy(trace, Span(116.9, 118.5)).codes == ("samples_lost",)
    assert len(trace.gaps) == 5


def test_replay_of_current_needs_the_supply(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("# sample_rate_hz: 100\ncurrent_ma\n" + "10\n" * 100)
    trace, _ = capture("replay", {"path": str(path), "voltage_v": "3"}, 0.01)
    assert np.allclose(trace.power_w, 0.03)
    with pytest.raises(UsageError, match="needs a recorded trace"):
        find_meter("replay")({})
    with pytest.raises(UsageError, match="no trace"):
        find_meter("replay")({"path": str(tmp_path / "nothing.npz")}).open()


@pytest.mark.parametrize("given", [{"power_w": 0.042}, {"pj_per_cycle": "350", "clock_mhz": 120}])
def test_estimate_is_a_level_line_and_says_so(given: dict[str, object]) -> None:
    trace, span = capture("estimate", given, 0.1)
    window = window_energy(trace, span, 4)
    assert window.mean_power_w == pytest.approx(0.042)
    energy = combine([window], trace.info, trace.codes)
    assert (energy.codes, energy.info.scope) == (("estimated",), "none")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"pj_per_cycle": 350},
        {"power_w": 1, "pj_per_cycle": 350, "clock_mhz": 120},
        {"power_w": 0},
        {"power_w": -1},
    ],
)
def test_estimate_needs_one_power(given: dict[str, object]) -> None:
    with pytest.raises(UsageError) as caught:
        find_meter("estimate")(given)
    assert "pj_per_cycle" in caught.value.hint


@pytest.mark.parametrize("given", [("estimate", {"power_w": 1}), ("replay", {"path": "x"})])
def test_stopping_what_was_not_started(given: tuple[str, dict[str, object]]) -> None:
    meter = find_meter(given[0])(given[1])
    with pytest.raises(DeviceError, match="nothing was recorded"):
        meter.stop()
    meter.close()


def test_none_records_nothing() -> None:
    trace, _ = capture("none", {}, 0.0)
    assert (trace.time_s.size, trace.info.scope) == (0, "none")
