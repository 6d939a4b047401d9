"""Where the windows of a trace are: by edges of a digital channel, or by pairs of timestamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from edgekit.errors import DataError, UsageError

if TYPE_CHECKING:
    from edgekit.power.base import Trace

Active = Literal["auto", "high", "low", "pulse"]


@dataclass(frozen=True)
class Span:
    """A stretch of a trace, from the first moment to the last.

    Attributes:
        start_s: On the clock of the trace.
        end_s: The same.
        error_s: How far both may be off together, standard uncertainty.
        seen: Whether the trace itself shows them, so that whose clock it has is no matter.
    """

    start_s: float
    end_s: float
    error_s: float = 0.0
    seen: bool = False

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.end_s - self.start_s


def edges(trace: Trace, channel: str, active: Active = "auto") -> list[Span]:
    """The windows that a digital channel marks.

    A firmware marks a window by holding a pin (the window is what is `high`, or `low`), or by a
    `pulse` at its start and one at its end, as MLPerf Tiny's does (EEMBC energyrunner:
    `th_timestamp` is a falling edge held for 1 us). `auto` takes the level that the channel does
    not begin with as active, and its runs as pulses where none is longer than a sample or a
    hundredth of the distance between two. Pulses make pairs in order; of an odd number the first
    is left out, as in the MLPerf Tiny runner, because a pin twitches when a board starts.

    A window begins with the first sample at its level and ends with the first after it. One that
    the trace does not show whole is left out.

    Raises:
        UsageError: The trace has no such channel.
        DataError: The channel marks no window.
    """
    from edgekit.measure._runs import runs

    if channel not in trace.digital:
        known = ", ".join(trace.digital) or "none at all"
        raise UsageError(f"the trace has no digital channel '{channel}'", f"it has: {known}")
    level = {"high": 1, "low": 0}.get(active)
    found = runs(trace.time_s, trace.digital[channel], level)
    if active == "pulse" or (active == "auto" and found.pulses):
        starts = found.starts[len(found.starts) % 2 :]
        windows = list(zip(starts[::2], starts[1::2], strict=True))
    else:
        windows = list(zip(found.starts, found.ends, strict=True))
    if not windows:
        hint = "give the windows' times in a file (--marks), or another channel (--channel)"
        raise DataError(f"channel {channel} marks no window that the trace shows whole", hint)
    return [Span(start, end, seen=True) for start, end in windows]


def marks(timestamps: Sequence[float], error_s: float = 0.0) -> list[Span]:
    """Windows between timestamps in s, ascending: pairs in order.

    Of an odd number the first is left out: it marks the start of the run, as in the files of
    EEMBC's energyrunner, whose windows are the timestamps (1, 2), (3, 4) and so on.

    Raises:
        DataError: There is no pair, or one ends before it begins.
    """
    times = list(timestamps)[len(timestamps) % 2 :]
    if not times:
        raise DataError("there is no pair of timestamps", "a window needs a start and an end")
    if sorted(times) != times:
        later = next(b for a, b in pairwise(times) if b < a)
        raise DataError(f"timestamps do not ascend: {later:g} s comes late", "sort the marks")
    return [Span(a, b, error_s) for a, b in zip(times[::2], times[1::2], strict=True)]
