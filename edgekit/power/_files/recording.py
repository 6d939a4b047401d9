"""What a file of a trace may tell: the trace, and perhaps its windows and their inferences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.measure.spans import Span
    from edgekit.power.base import Trace


@dataclass(frozen=True)
class Recording:
    """A recorded trace.

    Attributes:
        trace: As a meter would have given it.
        spans: Its windows; empty where the file does not tell.
        inferences: In each of them, or a single number for all; empty where the file does not tell.
    """

    trace: Trace
    spans: tuple[Span, ...] = ()
    inferences: tuple[int, ...] = ()
