"""Meter ppk2 against ppk2lab's byte-level simulator: energy, windows, gaps, unplugging."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("ppk2lab")

from ppk2lab import PPK2
from ppk2lab.testing.profiles import Profile, StepProfile
from ppk2lab.transport.mock import SimulatedPPK2

from edgekit.errors import DeviceError, UsageError
from edgekit.measure.energy import Span, combine, edges, window_energy
from edgekit.power.base import Trace
from edgekit.power.ppk2 import Meter

# 20 ms at 1 mA, then 20 ms at 10 mA with D0 high, and so on
PROFILE = StepProfile([(2000, 1000.0, 0), (2000, 10_000.0, 1)], repeat=True)


class Simulated(Meter):
    """Connected to a simulator instead of a port."""

    simulator: SimulatedPPK2

    def _connect(self) -> PPK2:
        return PPK2.open(simulator=self.simulator)


def meter(profile: Profile = PROFILE, given: dict[str, object] | None = None, **how: Any) -> Meter:
    made = Simulated({"voltage_v": 3.0, **(given or {})})
    made.simulator = SimulatedPPK2(profile=profile, rate_limit_hz=100_000, **how)
    return made


def record(made: Meter, seconds: float, meanwhile: Callable[[], None] | None = None) -> Trace:
    with made:
        made.open()
        made.start()
        time.sleep(seconds)
        if meanwhile:
            meanwhile()
            time.sleep(0.2)
        return made.stop()


def test_energy_of_windows_by_edges() -> None:
    before = time.monotonic()
    trace = record(meter(), 0.3)
    assert before < trace.time_s[0] < trace.time_s[-1] < time.monotonic()
    assert trace.time_s[-1] - trace.time_s[0] == pytest.approx(0.3, abs=0.1)
    assert 0 < trace.clock_error_s < 0.05
    spans = edges(trace, "D0")
    assert len(spans) >= 5
    windows = [window_energy(trace, span, 4) for span in spans]
    energy = combine(windows, trace.info, trace.codes)
    assert energy.codes == ("estimated",), "a simulator measures nothing"
    assert energy.median_uj == pytest.approx(0.010 * 3 * 0.02 / 4 * 1e6, rel=2e-3)
    assert energy.info.name == "PPK2 SIM0001 (simulated)"
    assert energy.info.gain_uncertainty == pytest.approx(0.1 / 3**0.5)


def test_gap_that_the_meter_reports_refuses_its_window() -> None:
    trace = record(meter(gaps={6500: 30}), 0.3)
    (gap,) = trace.gaps
    assert gap[1] - gap[0] == pytest.approx(30e-5)
    assert trace.codes == ()
    windows = [window_energy(trace, span, 4) for span in edges(trace, "D0")]
    refused = [index for index, window in enumerate(windows) if window.gross_j is None]
    assert refused == [1]
    assert windows[2].gross_j == pytest.approx(0.0006, rel=2e-3)


def test_unplugging_during_a_capture_is_a_device_error() -> None:
    made: Any = meter()
    with pytest.raises(DeviceError, match=r"PPK2: stream interrupted: .*unplugged") as caught:
        record(made, 0.1, made.simulator.unplug)
    assert caught.value.exit_code == 4
    assert caught.value.hint
    assert not [thread for thread in threading.enumerate() if thread.name == "read PPK2"]


def test_unplugged_from_the_beginning() -> None:
    made: Any = meter()
    made.simulator.unplug()
    with pytest.raises(DeviceError, match="unplugged"):
        made.open()


def test_supply_is_set_and_the_board_switched_on_only_when_told() -> None:
    made: Any = meter(given={"voltage_v": "1.8"})
    record(made, 0.05)
    assert made.simulator.vdd_mv == 1800
    assert "SET_DUT_POWER" not in [opcode.name for opcode, _ in made.simulator.command_log]
    made = meter(given={"power": "yes", "mode": "ampere"})
    with made:
        made.open()
        assert (made.simulator.dut_power, made.simulator.mode.name) == (True, "AMPERE")
    assert made.simulator.dut_power is False


def test_one_capture_follows_another() -> None:
    with meter() as made:
        made.open()
        ends = []
        for _ in range(2):
            made.start()
            time.sleep(0.1)
            ends.append(made.stop().time_s[[0, -1]].tolist())
        assert ends[0][1] < ends[1][0]
        made.start()
    made.close()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "measures no voltage"),
        ({"voltage_v": 3, "mode": "both"}, "no mode 'both'"),
        ({"voltage_v": "high"}, "not a number"),
    ],
)
def test_options_that_cannot_be(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Meter(given)


def test_supply_that_it_cannot_give_is_refused_by_the_meter() -> None:
    with pytest.raises(DeviceError, match="PPK2: "):
        meter(given={"voltage_v": 12}).open()


def test_none_plugged_in() -> None:
    assert Meter.plugged_in() == []
    with pytest.raises(DeviceError, match="PPK2: no PPK2 devices found") as caught:
        Meter({"voltage_v": 3}).open()
    assert caught.value.hint


def test_window_by_the_clock_of_the_host() -> None:
    with meter() as made:
        made.open()
        made.start()
        time.sleep(0.1)
        start = time.monotonic()
        time.sleep(0.2)
        span = Span(start, time.monotonic())
        time.sleep(0.05)
        window = window_energy(made.stop(), span)
    assert window.mean_power_w == pytest.approx(0.0165, rel=0.1)


def test_stream_that_is_faster_than_time_is_doubted() -> None:
    made: Any = meter()
    made.simulator.rate_limit_hz = None
    trace = record(made, 0.3)
    assert trace.time_s[-1] - trace.time_s[0] > 0.4
    assert trace.codes == ("clocks_apart",)
