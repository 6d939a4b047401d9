"""Energy of windows of a trace, and how far it may be off: pure functions.

Gross energy is everything that was drawn in a window. Net energy is less what an idle device draws
in that time, and exists only against a stretch that was recorded as idle: the moments before a
window are not, a board is busy with its host then (in a published trace they are above the window).

Uncertainties follow the GUM (JCGM 100:2008): standard uncertainties of statistics, the meter's
gain, the synchronisation of marks and samples, and the baseline, added in quadrature; what is
reported is expanded with k = 2. One window tells nothing of statistics: that term is then missing.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from edgekit.measure.spans import Span, edges, marks
from edgekit.measure.window_energy import Idle, WindowEnergy, idle, per_inference_uj, window_energy
from edgekit.power.base import MeterInfo

__all__ = [
    "Energy",
    "Idle",
    "Span",
    "Terms",
    "WindowEnergy",
    "combine",
    "edges",
    "idle",
    "marks",
    "window_energy",
]

COVERAGE = 2.0


@dataclass(frozen=True)
class Terms:
    """Standard uncertainties in uJ an inference; None where it cannot be told.

    Attributes:
        statistics: Standard deviation over the windows / sqrt(windows); needs two.
        gain: The meter's, as its data sheet states it.
        synchronisation: Of the windows' marks and samples.
        baseline: Of idling; of net figures alone.
    """

    statistics: float | None = None
    gain: float | None = None
    synchronisation: float | None = None
    baseline: float | None = None

    def expanded(self, baseline: bool = False) -> float:
        """All that are known in quadrature, times two."""
        parts = [self.statistics, self.gain, self.synchronisation]
        parts += [self.baseline] if baseline else []
        return COVERAGE * math.hypot(*(part or 0.0 for part in parts))


@dataclass(frozen=True)
class Energy:
    """Energy of an inference over all windows; None where it is not known.

    Attributes:
        windows: In order.
        median_uj: Gross, of an inference.
        net_median_uj: Net, of an inference.
        uncertainty_uj: Of the gross median, expanded (k = 2).
        net_uncertainty_uj: Of the net median, the same.
        terms: What the uncertainty is made of.
        codes: What is wrong, see `edgekit.measure.verdict`.
        info: The meter.
        idle: What was taken off for the net figures.
    """

    windows: tuple[WindowEnergy, ...]
    median_uj: float | None = None
    net_median_uj: float | None = None
    uncertainty_uj: float | None = None
    net_uncertainty_uj: float | None = None
    terms: Terms = Terms()
    codes: tuple[str, ...] = ()
    info: MeterInfo = field(default_factory=lambda: MeterInfo("unknown", "board"))
    idle: Idle | None = None

    def figures(self) -> dict[str, Any]:
        """In mJ an inference, as `edgekit bench --json` has it."""
        return {
            "gross_mj": _milli(self.median_uj),
            "net_mj": _milli(self.net_median_uj),
            "uncertainty_mj": _milli(self.uncertainty_uj),
            "meter": self.info.name,
        }

    def to_json(self) -> dict[str, Any]:
        """As `edgekit energy --json` prints it."""
        return {
            "windows": [window.to_json() for window in self.windows],
            "median_uj": self.median_uj,
            "uncertainty_uj": self.uncertainty_uj,
            "net_median_uj": self.net_median_uj,
            "net_uncertainty_uj": self.net_uncertainty_uj,
            "terms": asdict(self.terms),
            "codes": list(self.codes),
            "meter": asdict(self.info),
            "idle": asdict(self.idle) if self.idle else None,
        }


def combine(
    windows: Sequence[WindowEnergy],
    info: MeterInfo,
    codes: Sequence[str] = (),
    idle: Idle | None = None,
) -> Energy:
    """Energy of an inference: the median over windows with figures, and its uncertainty.

    Args:
        windows: Of one model on one device.
        info: The meter.
        codes: What the meter saw go wrong (`Trace.codes`).
        idle: What `window_energy` was told.
    """
    found = [*codes, *(code for window in windows for code in window.codes)]
    found += ["estimated"] if info.estimated else []
    energy = Energy(tuple(windows), codes=tuple(dict.fromkeys(found)), info=info, idle=idle)
    known = [w for w in windows if w.per_inference_uj is not None]
    if not known:
        return energy
    gross = [w.per_inference_uj for w in known if w.per_inference_uj is not None]
    net = [w.net_per_inference_uj for w in known if w.net_per_inference_uj is not None]
    median = statistics.median(gross)
    terms = _terms(known, gross, info)
    energy = replace(energy, median_uj=median, terms=terms, uncertainty_uj=terms.expanded())
    if not net:
        return energy
    return replace(
        energy,
        net_median_uj=statistics.median(net),
        net_uncertainty_uj=terms.expanded(baseline=True),
    )


def _terms(known: Sequence[WindowEnergy], gross: Sequence[float], info: MeterInfo) -> Terms:
    def shared(of: Sequence[float | None]) -> float | None:
        parts = [part for part in of if part is not None]
        return statistics.median(parts) if parts else None

    spread = statistics.stdev(gross) / math.sqrt(len(gross)) if len(gross) > 1 else None
    net = any(window.net_j is not None for window in known)
    return Terms(
        statistics=spread,
        gain=info.gain_uncertainty * statistics.median(gross) if info.gain_uncertainty else None,
        synchronisation=shared(
            [per_inference_uj(w.synchronisation_j, w.inferences) for w in known]
        ),
        baseline=shared([per_inference_uj(w.baseline_j, w.inferences) for w in known])
        if net
        else None,
    )


def _milli(micro: float | None) -> float | None:
    return None if micro is None else micro / 1e3
