"""Verdicts: each code is seen where it should be, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.devices.base import State, Window
from edgekit.measure.latency import summarise
from edgekit.measure.verdict import CODES, advice, judge, validity

STEADY = State(
    load=0.2, processors=4, frequencies_mhz=(1500.0,), governors=("performance",), throttled=()
)
GOOD = Window((5.0, 5.1), 2, 0.0, 1.0, before=STEADY, after=STEADY)


def codes(windows: list[Window], reconnected: int = 0) -> tuple[str, ...]:
    return judge(windows, summarise([one.latency_ms for one in windows]), reconnected)


def run(**changes: object) -> list[Window]:
    """Five good windows, the last one changed."""
    return [GOOD] * 4 + [replace(GOOD, **changes)]  # type: ignore[arg-type]


def state(**changes: object) -> State:
    return replace(STEADY, **changes)  # type: ignore[arg-type]


SEEN = {
    "throttled": run(after=state(throttled=("under-voltage",))),
    "charging": run(before=state(charging=True)),
    "governor": run(after=state(governors=("performance", "ondemand"))),
    "clock_changed": run(after=state(frequencies_mhz=(600.0,))),
    "window_too_short": run(end_s=0.3),
    "outliers": run(latency_ms=(5.0,) * 100 + (5000.0,)),
    "samples_lost": run(codes=("samples_lost",)),
    "drift": [replace(GOOD, latency_ms=(5 + n / 10, 5 + n / 10)) for n in range(5)],
    "wide_interval": [replace(GOOD, latency_ms=(x, x)) for x in (5.0, 6.0, 5.0, 6.0, 5.0)],
    "few_windows": [GOOD] * 3,
    "loaded_host": [replace(GOOD, before=state(load=2.5)), *[GOOD] * 4],
}


def test_a_good_run_is_valid() -> None:
    assert codes([GOOD] * 5) == ()
    assert validity(()) == "valid"


@pytest.mark.parametrize(("code", "windows"), SEEN.items(), ids=SEEN.keys())
def test_what_is_wrong_is_named_alone(code: str, windows: list[Window]) -> None:
    assert codes(windows) == (code,)


def test_a_connection_that_broke_is_named() -> None:
    assert codes([GOOD] * 5, reconnected=1) == ("reconnected",)


def test_load_that_the_bench_makes_itself_does_not_count() -> None:
    assert codes(run(before=state(load=2.5))) == ()


def test_what_others_took_goes_before_the_load() -> None:
    before = state(load=2.5)
    quiet = [replace(GOOD, before=before, after=state(others=0.05))] * 5
    assert codes(quiet) == ()
    assert codes([replace(one, after=state(others=0.5)) for one in quiet]) == ("loaded_host",)
    assert codes([*quiet[:4], replace(GOOD, after=state(others=0.9))]) == ()


def test_a_clock_that_its_governor_lets_sink_is_not_a_change() -> None:
    lazy = state(governors=("ondemand",))
    low = replace(lazy, frequencies_mhz=(600.0,))
    windows = [replace(GOOD, before=lazy, after=after) for after in (lazy, low, lazy, low, lazy)]
    assert codes(windows) == ("governor",)


def test_a_device_that_tells_nothing_is_not_suspected() -> None:
    assert codes([replace(GOOD, before=State(), after=State())] * 5) == ()


def test_the_worst_code_decides() -> None:
    assert validity(["governor"]) == "degraded"
    assert validity(["governor", "clock_jump"]) == "invalid"
    assert validity(["what another package's driver says"]) == "degraded"


def test_every_code_comes_with_advice() -> None:
    told = advice([*CODES, "its own"])
    assert all(": " in text for code, text in told.items() if code != "its own")
    assert told["its own"] == "its own"
