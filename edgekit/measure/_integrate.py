"""Energy between two moments of a trace, by what its samples stand for.

A cumulative counter is read off at both ends, linear between its samples. Power that is a sequence
of moments is joined by straight lines and integrated (the trapezoidal rule, exact for these lines,
for any spacing of the samples); in a window that edges of the trace mark, the last sample lasts
until the edge, for power steps where the pin does. Power that is a sequence of means is summed over
whole samples: one belongs to the window in which it begins, as in the MLPerf Tiny runner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError

if TYPE_CHECKING:
    from edgekit.measure.spans import Span
    from edgekit.power.base import Trace

Array = NDArray[np.float64]
NOISE = 0.01
"""Share of a window's highest power by which a sample may be below zero: noise around nothing."""
RECENT = 1000
"""Samples at the end whose median spacing is how long the last one lasts."""


def power_of(trace: Trace) -> Array:
    """Power in W, float64 [n]; of a counter, between its samples, and the last one repeated.

    Raises:
        DataError: Neither power nor both current and voltage nor energy was recorded.
    """
    if trace.power_w is not None:
        return trace.power_w
    if trace.current_a is not None and trace.voltage_v is not None:
        return np.asarray(trace.current_a * trace.voltage_v)
    if trace.energy_j is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            power = np.diff(trace.energy_j) / np.diff(trace.time_s)
        return np.append(power, power[-1:])
    lacking = "voltage" if trace.current_a is not None else "power"
    raise DataError(
        f"the trace has no {lacking}",
        "give the supply's volts (--voltage)" if lacking == "voltage" else "energy needs power",
    )


def durations(trace: Trace) -> Array:
    """How long each sample of a trace of means lasts, in s: until the next, or until a gap."""
    time = trace.time_s
    steps = np.diff(time)
    lasts = np.append(steps, np.median(steps[-RECENT:]))
    for start, _ in trace.gaps:
        index = int(np.searchsorted(time, start, "right")) - 1
        if 0 <= index < time.size:
            lasts[index] = min(lasts[index], start - time[index])
    return np.asarray(lasts)


def check(trace: Trace, span: Span) -> None:
    """Refuse a trace without order and a span that is not in it.

    Raises:
        DataError: Which of both, and where.
    """
    time = trace.time_s
    if time.ndim != 1 or time.size < 2:
        raise DataError(f"the trace has {time.size} samples", "energy needs at least two")
    if not np.isfinite(time).all() or (time[1:] < time[:-1]).any():
        raise DataError("the times of the trace do not ascend", "sort its rows by time")
    for name in ("power_w", "current_a", "voltage_v", "energy_j"):
        values = getattr(trace, name)
        if values is not None and values.shape != time.shape:
            count = f"{values.size} values of {name} and {time.size} times"
            raise DataError(f"the trace has {count}", "record one of each a sample")
    if not span.end_s > span.start_s:
        message = f"the window from {span.start_s:g} to {span.end_s:g} s has no length"
        raise DataError(message, "its end must come after its start")
    step = float(np.median(np.diff(time[-RECENT:])))
    last = time[-1] + (step if trace.sample == "mean" else 0.0)
    if span.start_s < time[0] - 1e-3 * step or span.end_s > last + 1e-3 * step:
        window = f"the window from {span.start_s:g} to {span.end_s:g} s"
        raise DataError(
            f"{window} is not in the trace, which is from {time[0]:g} to {last:g} s",
            "give marks on the clock of the trace, or record longer",
        )


def lost(trace: Trace, span: Span) -> bool:
    """Whether samples were lost in the span."""
    return any(start < span.end_s and end > span.start_s for start, end in trace.gaps)


def joules(trace: Trace, span: Span) -> float:
    """Energy of a span that was checked.

    Raises:
        DataError: A value in it is no number or cannot be: power below zero, a counter that falls.
    """
    time, a, b = trace.time_s, span.start_s, span.end_s
    if trace.energy_j is not None:
        _counter(trace.energy_j[_within(time, a, b)], span)
        start, end = np.interp([a, b], time, trace.energy_j)
        return float(end - start)
    power = power_of(trace)
    if trace.sample == "mean":
        whole = slice(*np.searchsorted(time, [a, b], "left"))
        _positive(power[whole], span)
        return float(power[whole] @ durations(trace)[whole])
    _positive(power[_within(time, a, b)], span)
    first, after = int(np.searchsorted(time, a, "right")), int(np.searchsorted(time, b, "left"))
    inner = slice(first, after)
    ends = np.interp([a, b], time, power)
    if span.seen:
        ends[1] = power[max(after - 1, 0)]
    knots = np.concatenate([[a], time[inner], [b]])
    heights = np.concatenate([ends[:1], power[inner], ends[1:]])
    return float((heights[1:] + heights[:-1]) @ np.diff(knots)) / 2


def mean_power(trace: Trace, span: Span) -> float:
    """Of a span that was checked, in W; of means, over the time of the whole samples in it."""
    lasts = span.duration_s
    if trace.sample == "mean" and trace.energy_j is None:
        whole = slice(*np.searchsorted(trace.time_s, [span.start_s, span.end_s], "left"))
        lasts = float(durations(trace)[whole].sum()) or lasts
    return joules(trace, span) / lasts


def spacing(trace: Trace, moment: float) -> float:
    """Time in s between the samples on either side of a moment."""
    time = trace.time_s
    right = int(np.clip(np.searchsorted(time, moment, "right"), 1, time.size - 1))
    return float(time[right] - time[right - 1])


def _within(time: Array, a: float, b: float) -> slice:
    """The samples in a window, and the one on either side."""
    left = int(np.searchsorted(time, a, "right")) - 1
    return slice(max(left, 0), int(np.searchsorted(time, b, "left")) + 1)


def _positive(power: Array, span: Span) -> None:
    window = f"in the window from {span.start_s:g} to {span.end_s:g} s"
    if not power.size:
        raise DataError(f"there is no sample {window}", "record faster, or a longer window")
    if not np.isfinite(power).all():
        raise DataError(f"power is not a number {window}", "record it again without lost samples")
    if power.min() < -NOISE * abs(power.max()):
        message = f"power is below zero ({power.min():g} W) {window}"
        raise DataError(message, "swap the meter's leads, or the sign in the file")


def _counter(energy: Array, span: Span) -> None:
    window = f"in the window from {span.start_s:g} to {span.end_s:g} s"
    if not np.isfinite(energy).all():
        raise DataError(f"energy is not a number {window}", "record it again without lost samples")
    if (energy[1:] < energy[:-1]).any():
        raise DataError(
            f"the energy counter falls {window}",
            "say where it wraps: energy_range_j in the file, beside the counter",
        )
