"""The captures of one run as one trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from edgekit.power._files.recording import Recording
from edgekit.power.base import Trace

FIELDS = ("power_w", "current_a", "voltage_v", "energy_j")


def join(captures: Sequence[Recording]) -> Recording | None:
    """They follow each other with a gap between; None where they are not of one meter and clock.

    Args:
        captures: In the order in which they were recorded.
    """
    import numpy as np

    traces = [capture.trace for capture in captures]
    first = traces[0]
    alike = all(trace.clock == "host" and _kind(trace) == _kind(first) for trace in traces)
    if not alike or any(a.time_s[-1] >= b.time_s[0] for a, b in pairwise(traces)):
        return None

    def together(name: str) -> Any:
        return np.concatenate([getattr(trace, name) for trace in traces])

    between = [(_end(a), float(b.time_s[0])) for a, b in pairwise(traces)]
    gain = max(trace.info.gain_uncertainty for trace in traces)
    trace = replace(
        first,
        time_s=together("time_s"),
        **{name: together(name) for name in FIELDS if getattr(first, name) is not None},
        digital={n: np.concatenate([t.digital[n] for t in traces]) for n in first.digital},
        gaps=tuple(sorted([*between, *(gap for trace in traces for gap in trace.gaps)])),
        clock_error_s=max(trace.clock_error_s for trace in traces),
        info=replace(first.info, gain_uncertainty=gain),
        codes=tuple(dict.fromkeys(code for trace in traces for code in trace.codes)),
    )
    spans = tuple(span for capture in captures for span in capture.spans)
    counts = tuple(count for capture in captures for count in capture.inferences)
    return Recording(trace, spans, counts)


def _kind(trace: Trace) -> tuple[Any, ...]:
    """What captures of one run share."""
    has = [getattr(trace, name) is not None for name in FIELDS]
    return trace.info.name, trace.info.scope, trace.sample, list(trace.digital), has


def _end(trace: Trace) -> float:
    from edgekit.measure._integrate import durations

    lasts = float(durations(trace)[-1]) if trace.sample == "mean" else 0.0
    return float(trace.time_s[-1]) + lasts
