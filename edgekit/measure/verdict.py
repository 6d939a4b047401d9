"""What may be believed of a run: named codes, what each means, and what to do about it."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgekit.devices.base import State, Window

if TYPE_CHECKING:
    from edgekit.measure.latency import Latency

Validity = Literal["valid", "degraded", "invalid"]

FEWEST_WINDOWS = 5
SHORTEST_S = 0.5
BUSY = 0.15
"""Share of all processors that others may take."""
SPIKES, WIDEST, DRIFT, CLOCK = 0.10, 0.10, 0.03, 0.02
"""Shares of the median: of mean - median, of the interval's width, of a trend over the windows;
share of a clock that may change."""


@dataclass(frozen=True)
class Code:
    """One reason to doubt a run.

    Attributes:
        validity: What a run with it is at best.
        what: What was seen.
        advice: What to do.
    """

    validity: Validity
    what: str
    advice: str


CODES = {
    "golden_mismatch": Code(
        "invalid", "the device computes something else", "build again with --force, or report it"
    ),
    "clock_jump": Code(
        "invalid", "the device's clock jumped", "stop its time service for the run, or run again"
    ),
    "samples_lost": Code(
        "invalid", "samples were lost", "use a shorter cable, a direct USB port or a lower rate"
    ),
    "no_golden": Code(
        "degraded",
        "no golden vectors were compared",
        "builds for Linux boards and Android have golden.npz: build for the device's own target",
    ),
    "loaded_host": Code(
        "degraded", "other programs keep the device busy", "stop them, or try again later"
    ),
    "throttled": Code(
        "degraded", "the device held itself back", "cool it, and give it a stronger power supply"
    ),
    "hot": Code("degraded", "the device was hot", "let it cool down before the run"),
    "drift": Code(
        "degraded", "each window was slower or faster", "warm up longer, or use --sustained"
    ),
    "clock_changed": Code(
        "degraded", "the clock changed during the run", "fix it: governor performance"
    ),
    "governor": Code(
        "degraded",
        "the governor may change the clock",
        "on the device: echo performance | sudo tee "
        "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor",
    ),
    "window_too_short": Code(
        "degraded", f"a window was shorter than {SHORTEST_S:g} s", "give a longer --seconds"
    ),
    "few_windows": Code(
        "degraded",
        f"fewer than {FEWEST_WINDOWS} windows: the interval is a guess",
        f"leave out --quick, give --windows {FEWEST_WINDOWS} or a longer --sustained",
    ),
    "outliers": Code(
        "degraded", "the mean is over 10 % above the median", "look for what runs beside it"
    ),
    "wide_interval": Code(
        "degraded", "the median's interval is over 10 % wide", "give more --windows"
    ),
    "reconnected": Code(
        "degraded", "the connection broke and was made again", "check cable and network"
    ),
    "charging": Code(
        "degraded", "the battery was charging", "unplug it, and connect adb over Wi-Fi"
    ),
    "idle_above_window": Code(
        "degraded",
        "the idle device drew more than the busy one",
        "record it idle when nothing talks to it",
    ),
    "emulated": Code(
        "degraded", "the time is an emulator's, no board's", "measure on the board: --device serial"
    ),
    "estimated": Code("degraded", "energy is estimated, not measured", "connect a power meter"),
    "clocks_apart": Code(
        "degraded",
        "the clocks of device and meter are not known well enough",
        "let a pin of the device mark the windows",
    ),
}


def validity(codes: Iterable[str]) -> Validity:
    """The worst that the codes allow; a code of another package's driver degrades."""
    found = {CODES[code].validity if code in CODES else "degraded" for code in codes}
    return "invalid" if "invalid" in found else "degraded" if found else "valid"


def advice(codes: Iterable[str]) -> dict[str, str]:
    """By code: what was seen, and what to do."""
    known = ((code, CODES.get(code)) for code in codes)
    return {code: f"{one.what}: {one.advice}" if one else code for code, one in known}


def judge(
    windows: Sequence[Window],
    latency: Latency | None,
    reconnected: int,
    others: Sequence[str] = (),
) -> tuple[str, ...]:
    """Codes of a run, in the order of `CODES`, then those that only its driver knows.

    Args:
        windows: That were timed.
        latency: Of all of them.
        reconnected: How often the connection was made again.
        others: Codes of the golden vectors, of the meter and of its figures.
    """
    found = {code for window in windows for code in window.codes} | set(others)
    found |= {code for code, seen in _seen(windows, latency, reconnected) if seen}
    return tuple(sorted(found, key=_rank))


def _rank(code: str) -> tuple[int, str]:
    known = list(CODES)
    return (known.index(code) if code in CODES else len(known), code)


def _seen(
    windows: Sequence[Window], latency: Latency | None, reconnected: int
) -> list[tuple[str, bool]]:
    states = [state for window in windows for state in (window.before, window.after)]
    timed = windows if latency else ()
    return [
        ("loaded_host", _loaded(windows)),
        ("throttled", any(state.throttled for state in states)),
        ("charging", any(state.charging for state in states)),
        ("governor", any(_may_change(state) for state in states)),
        ("clock_changed", _clock_changed([window.after for window in windows])),
        ("window_too_short", any(one.end_s - one.start_s < SHORTEST_S for one in timed)),
        ("few_windows", bool(timed) and len(timed) < FEWEST_WINDOWS),
        ("drift", latency is not None and drifts(latency.windows_ms)),
        ("outliers", latency is not None and _spikes(latency)),
        ("wide_interval", latency is not None and _wide(latency)),
        ("reconnected", reconnected > 0),
    ]


def drifts(medians: Sequence[float]) -> bool:
    """Whether every window is slower (or faster) than the one before, and by enough in all."""
    steps = [after - before for before, after in itertools.pairwise(medians)]
    one_way = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    far = len(steps) > 2 and abs(medians[-1] - medians[0]) > DRIFT * medians[0]
    return one_way and far


def _loaded(windows: Sequence[Window]) -> bool:
    """By what others took while it ran; else by the load before, which may be of an earlier run."""
    taken = [one.after.others for one in windows if one.after.others is not None]
    if taken:
        return statistics.median(taken) > BUSY
    first = windows[0].before if windows else State()
    return first.load is not None and first.load > (first.processors or 1) / 2


def _may_change(state: State) -> bool:
    return any(governor != "performance" for governor in state.governors or ())


def _clock_changed(states: Sequence[State]) -> bool:
    """Where the governor is to hold the clock; another one lets it sink as soon as it may."""
    held = [max(s.frequencies_mhz) for s in states if s.frequencies_mhz and not _may_change(s)]
    return bool(held) and max(held) - min(held) > CLOCK * max(held)


def _spikes(latency: Latency) -> bool:
    return latency.mean_ms - latency.median_ms > SPIKES * latency.median_ms


def _wide(latency: Latency) -> bool:
    if latency.low_ms is None or latency.high_ms is None:
        return False
    return latency.high_ms - latency.low_ms > WIDEST * latency.median_ms
