"""How fast a device runs a build: what whoever builds is told by whoever measures.

A build imports nothing that measures; where a choice needs figures of a device, it is handed a
`Timer` (`edgekit/harness/timer.py`), which knows of a build what its folder and manifest say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from edgekit.artifact import Build
from edgekit.target.profile import Profile

FIGURES = ("latency_ms", "cycles", "instructions")
"""Figures of an inference that builds are ranked by, the best first."""


@dataclass(frozen=True)
class Timing:
    """What a device said of one build.

    Attributes:
        device: Its name; empty where there is none to ask.
        figures: By the names of `FIGURES`; empty where there are none, and `reason` says why.
        sources: Of each figure: measured, emulated or estimated, and by what.
        interval: 95 % confidence interval of a measured latency, in ms.
        codes: Reasons to doubt the figures (`edgekit.measure.verdict`).
        reason: Why there are no figures.
        wrong: Whether the device computes other values than it should.
    """

    device: str
    figures: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    codes: tuple[str, ...] = ()
    reason: str = ""
    wrong: bool = False

    def span(self, figure: str) -> tuple[float, float]:
        """Where the true figure lies: its interval where one is known, else the figure itself."""
        value = self.figures[figure]
        return self.interval if figure == "latency_ms" and self.interval else (value, value)

    def to_json(self) -> dict[str, Any]:
        """As the report of a build stores it."""
        return asdict(self)


class Timer(Protocol):
    """Runs builds on a device; see `edgekit/harness/timer.py`."""

    @property
    def device(self) -> str:
        """The device that the user named; empty: the target's default."""

    def __call__(self, build: Build, profile: Profile) -> Timing:
        """Figures of a build for a target.

        Raises:
            EdgekitError: A device that the user named cannot be used at all.
        """
