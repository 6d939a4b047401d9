"""Energy of a recorded trace: which windows, how many inferences, what was idle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from edgekit.errors import DataError, UsageError
from edgekit.measure.energy import Energy, Span, combine, edges, idle, window_energy
from edgekit.measure.spans import Active

if TYPE_CHECKING:
    from edgekit.power._files.recording import Recording
    from edgekit.power.base import Trace


def energy_of(
    recording: Recording,
    spans: Sequence[Span],
    inferences: int | None = None,
    idle_span: Span | None = None,
) -> Energy:
    """Energy of the windows `spans` of a recording.

    Args:
        recording: With power; see `with_voltage`.
        spans: Its windows.
        inferences: In each of them; None: what the recording says, if it does.
        idle_span: A stretch that was recorded as idle, for net figures.

    Raises:
        DataError: As `window_energy` and `idle`.
    """
    trace = recording.trace
    base = None
    if idle_span is not None:
        source = f"{idle_span.start_s:g} to {idle_span.end_s:g} s of the trace"
        base = idle(trace, idle_span, source)
    counts = [inferences] * len(spans) if inferences else _told(recording, len(spans))
    if any(count is not None and count < 1 for count in counts):
        raise DataError("a window has no inference, says the trace", "give --inferences")
    pairs = zip(spans, counts, strict=True)
    windows = [window_energy(trace, span, count, base) for span, count in pairs]
    return combine(windows, trace.info, trace.codes, base)


def windows_of(recording: Recording, channel: str | None = None) -> tuple[list[Span], str]:
    """The windows of a recording and what marks them, for people.

    Args:
        recording: Of a file.
        channel: A digital channel, `NAME` or `NAME=high`, `=low` or `=pulse`; None: the windows
            that the file tells, else the only channel that changes, else the whole trace.

    Raises:
        UsageError: There is no such channel, or several change.
        DataError: The channel marks no window.
    """
    trace = recording.trace
    if channel is None and recording.spans:
        return list(recording.spans), "the recording"
    if channel is None:
        changing = [n for n, levels in trace.digital.items() if levels.min() != levels.max()]
        if not changing:
            return [_whole(trace)], "the whole trace"
        if len(changing) > 1:
            names = ", ".join(changing)
            raise UsageError(f"several channels change: {names}", "choose one with --channel")
        channel = changing[0]
    name, _, active = channel.partition("=")
    if active and active not in get_args(Active):
        raise UsageError(f"channel {name} cannot be '{active}'", "known: high, low, pulse")
    found = edges(trace, name, active or "auto")  # type: ignore[arg-type]
    return found, f"channel {channel}"


def with_voltage(recording: Recording, volts: float) -> Recording:
    """The recording with a constant supply, where it has current alone.

    Raises:
        UsageError: It has a voltage or power of its own.
    """
    import numpy as np

    trace = recording.trace
    if trace.current_a is None or trace.voltage_v is not None or trace.power_w is not None:
        raise UsageError("the trace has its power already", "leave out --voltage")
    supply = np.full(trace.time_s.size, volts)
    return replace(recording, trace=replace(trace, voltage_v=supply))


def _whole(trace: Trace) -> Span:
    from edgekit.measure._integrate import durations

    time = trace.time_s
    if time.size < 2:
        raise DataError(f"the trace has {time.size} samples", "energy needs at least two")
    last = float(durations(trace)[-1]) if trace.sample == "mean" else 0.0
    return Span(float(time[0]), float(time[-1]) + last)


def _told(recording: Recording, windows: int) -> list[int | None]:
    counts = list(recording.inferences)
    if len(counts) == 1:
        return [counts[0]] * windows
    return [*counts] if len(counts) == windows else [None] * windows
