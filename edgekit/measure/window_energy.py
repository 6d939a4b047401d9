"""Energy of one window of a trace, and what an idle device draws."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from edgekit.errors import DataError
from edgekit.measure.spans import Span

if TYPE_CHECKING:
    from edgekit.power.base import Trace

BLOCKS = 10
"""An idle stretch is parted into so many, whose means tell how steady it is."""
SHORT = 0.01
"""Of a window: an error of its ends above which a code says so."""


@dataclass(frozen=True)
class Idle:
    """What the device draws when it does nothing.

    Attributes:
        power_w: Mean.
        standard_error_w: Of that mean.
        source: The stretch that was recorded as idle, for people.
    """

    power_w: float
    standard_error_w: float
    source: str


@dataclass(frozen=True)
class WindowEnergy:
    """One window; None where samples were lost in it, or what it needs is not known.

    Attributes:
        start_s: On the clock of the trace.
        duration_s: Length.
        inferences: In it.
        gross_j: Energy drawn.
        net_j: The same, less that of an idle device.
        synchronisation_j: Standard uncertainty by the times of its marks and samples: the mean
            power times a sample's period and the clock's error.
        baseline_j: Standard uncertainty of what was taken off for idling.
        codes: What is wrong with it: `samples_lost`; `window_too_short` for the period of the
            samples; `clocks_apart`, for what is known of its ends; `idle_above_window`, where an
            idle device would have drawn more, which leaves net None.
    """

    start_s: float
    duration_s: float
    inferences: int | None = None
    gross_j: float | None = None
    net_j: float | None = None
    synchronisation_j: float = 0.0
    baseline_j: float = 0.0
    codes: tuple[str, ...] = ()

    @property
    def mean_power_w(self) -> float | None:
        """Of the window."""
        return None if self.gross_j is None else self.gross_j / self.duration_s

    @property
    def per_inference_uj(self) -> float | None:
        """Gross."""
        return per_inference_uj(self.gross_j, self.inferences)

    @property
    def net_per_inference_uj(self) -> float | None:
        """Net."""
        return per_inference_uj(self.net_j, self.inferences)

    def to_json(self) -> dict[str, Any]:
        """Every figure by its name."""
        figures = asdict(self)
        codes = figures.pop("codes")
        return {
            **figures,
            "mean_power_w": self.mean_power_w,
            "per_inference_uj": self.per_inference_uj,
            "net_per_inference_uj": self.net_per_inference_uj,
            "codes": list(codes),
        }


def idle(trace: Trace, span: Span, source: str) -> Idle:
    """What the device draws in a stretch that was recorded as idle.

    Raises:
        DataError: The stretch is not in the trace, or samples were lost in it.
    """
    from edgekit.measure._integrate import check, lost, mean_power

    check(trace, span)
    if lost(trace, span):
        raise DataError("samples were lost while the device idled", "record an idle stretch again")
    step = span.duration_s / BLOCKS
    starts = [span.start_s + step * index for index in range(BLOCKS)]
    means = [mean_power(trace, Span(start, start + step)) for start in starts]
    error = statistics.stdev(means) / math.sqrt(BLOCKS)
    return Idle(mean_power(trace, span), error, source)


def window_energy(
    trace: Trace, span: Span, inferences: int | None = None, idle: Idle | None = None
) -> WindowEnergy:
    """Energy of one window.

    Samples that were lost in it refuse its figures; the code says so.

    Raises:
        DataError: The window is not in the trace or has no length; the trace has no order, no
            power, or values that no device draws.
    """
    from edgekit.measure._integrate import check, joules, lost, spacing

    check(trace, span)
    window = WindowEnergy(span.start_s, span.duration_s, inferences)
    if lost(trace, span):
        return replace(window, codes=("samples_lost",))
    gross = joules(trace, span)
    period = max(spacing(trace, span.start_s), spacing(trace, span.end_s))
    clock = math.hypot(span.error_s, 0.0 if span.seen else trace.clock_error_s)
    share = math.hypot(period, clock) / span.duration_s
    doubts = {"window_too_short": period, "clocks_apart": clock}
    codes = tuple(code for code, off in doubts.items() if off > SHORT * span.duration_s)
    window = replace(window, gross_j=gross, synchronisation_j=gross * share, codes=codes)
    return window if idle is None else _net(window, gross, idle)


def _net(window: WindowEnergy, gross: float, idle: Idle) -> WindowEnergy:
    net = gross - idle.power_w * window.duration_s
    if net < 0:
        return replace(window, codes=(*window.codes, "idle_above_window"))
    off = idle.standard_error_w * window.duration_s
    return replace(window, net_j=net, baseline_j=off)


def per_inference_uj(joules: float | None, inferences: int | None) -> float | None:
    """A share of a window in uJ; None where it or the number of inferences is not known."""
    return None if joules is None or not inferences else joules / inferences * 1e6
