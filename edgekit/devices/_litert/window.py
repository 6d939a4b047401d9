"""What a worker said about a window, as the base has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from edgekit.devices._litert.clock import Clock
from edgekit.devices.base import State, Window

JUMP_S, JUMP_RATE = 0.02, 1e-3
"""What wall clock and monotonic clock may differ by over a window: a constant, and a share (NTP
slews by 5e-4 at most)."""


def to_window(
    said: Mapping[str, Any], samples: Sequence[float], clock: Clock, init_ns: float | None
) -> Window:
    """The window of an event `window`.

    Args:
        said: The event.
        samples: Latencies in ms, as they came before it.
        clock: Of the device.
        init_ns: Loading the model.
    """
    lost = ["samples_lost"] if said["inferences"] != len(samples) else []
    return Window(
        latency_ms=tuple(samples),
        inferences=said["inferences"],
        start_s=clock.here(said["start_ns"]),
        end_s=clock.here(said["end_ns"]),
        clock_error_s=clock.error_s,
        init_ms=None if init_ns is None else init_ns / 1e6,
        first_ms=said["first_ns"] / 1e6,
        codes=(*lost, *(["clock_jump"] if jumped(said) else [])),
    )


def jumped(said: Mapping[str, Any]) -> bool:
    """Whether the wall clock was set during a window, or the device slept."""
    monotonic: float = (said["end_ns"] - said["start_ns"]) / 1e9
    real: float = (said["end_real_ns"] - said["start_real_ns"]) / 1e9
    return abs(real - monotonic) > JUMP_S + JUMP_RATE * monotonic


def to_state(said: Mapping[str, Any]) -> State:
    """The state of an event `state`."""
    return State(
        load=said.get("load"),
        processors=said.get("processors"),
        frequencies_mhz=_tuple(said.get("frequencies_mhz")),
        governors=_tuple(said.get("governors")),
        temperatures_c=said.get("temperatures_c"),
        throttled=_tuple(said.get("throttled")),
        charging=said.get("charging"),
    )


def with_states(window: Window, before: Mapping[str, Any], after: Mapping[str, Any]) -> Window:
    """The window with the states around it; what held the device back within it counts, too."""
    first, second = to_state(before), to_state(after)
    since = set(after.get("throttled_since_boot") or ())
    within = since - set(before.get("throttled_since_boot") or ())
    if second.throttled is not None and within:
        second = replace(second, throttled=tuple(sorted({*second.throttled, *within})))
    return replace(window, before=first, after=replace(second, others=others(before, after)))


def others(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    """Share of all processors that other programs took between two states; None: not told."""
    told = [state.get(key) for state in (before, after) for key in ("t_ns", "busy_ns", "own_ns")]
    processors = after.get("listed")
    if None in told or not processors or after["t_ns"] <= before["t_ns"]:
        return None
    spent, busy, own = (after[key] - before[key] for key in ("t_ns", "busy_ns", "own_ns"))
    share: float = (busy - own) / (spent * processors)
    return min(1.0, max(0.0, share))


def _tuple(value: Sequence[Any] | None) -> tuple[Any, ...] | None:
    return None if value is None else tuple(value)
