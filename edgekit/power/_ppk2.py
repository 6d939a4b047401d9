"""Words of a PPK2's stream as a trace."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DeviceError
from edgekit.power._anchor import Anchor
from edgekit.power.base import MeterInfo, Trace

if TYPE_CHECKING:
    from ppk2lab.calibration import Calibration

PERIOD_S = 1e-5
ACCURACY = (0.10, 0.10, 0.10, 0.10, 0.15)
"""Typical, of a reading in each of the five ranges (Nordic, PPK2 user guide); half widths."""


@dataclass
class Stream:
    """What came of one capture.

    Attributes:
        anchor: When its samples were taken.
        blocks: First sample's count and words of each run without loss.
        lost: Count of the first sample that is missing, and how many are; None: unknown.
    """

    anchor: Anchor
    blocks: list[tuple[int, Any]] = field(default_factory=list)
    lost: list[tuple[int, int | None]] = field(default_factory=list)

    def arrived(self, start: int, words: Any, now_s: float) -> None:
        """Keep a block."""
        self.blocks.append((start, words))
        self.anchor.came(start + len(words), now_s)


def trace_of(stream: Stream, calibration: Calibration, volts: float, meter: MeterInfo) -> Trace:
    """The trace of a stream, at a constant voltage.

    After a loss of unknown length its times no longer hold, which the code `samples_lost` says.

    Raises:
        DeviceError: Nothing came.
    """
    if not stream.blocks:
        raise DeviceError("the PPK2 sent nothing", "check the cable, then try again")
    counts = [start + np.arange(len(words)) for start, words in stream.blocks]
    words = np.concatenate([np.array(words, np.uint32) for _, words in stream.blocks])
    begin = stream.anchor.begin_s
    unknown = any(missing is None for _, missing in stream.lost)
    codes = (*stream.anchor.codes, *(("samples_lost",) if unknown else ()))
    time_s = begin + np.concatenate(counts) * PERIOD_S
    current = _amperes(words, calibration)
    logic = [(words >> 24 + bit & 1).astype(np.uint8) for bit in range(8)]
    return Trace(
        time_s,
        power_w=current * volts,
        current_a=current,
        digital={f"D{bit}": levels for bit, levels in enumerate(logic)},
        gaps=_gaps(stream, begin),
        clock_error_s=stream.anchor.error_s,
        info=replace(meter, gain_uncertainty=_gain(words, current)),
        codes=codes,
        sample="mean",
    )


def _amperes(words: NDArray[np.uint32], calibration: Calibration) -> NDArray[np.float64]:
    """Each distinct reading and range is converted once: a second has 100,000."""
    distinct, place = np.unique(words & 0x1FFFF, return_inverse=True)
    pairs = ((int(word) & 0x3FFF, int(word) >> 14) for word in distinct)
    converted = [calibration.convert(reading, scale) for reading, scale in pairs]
    return np.asarray(np.array(converted)[place] * 1e-6)


def _gain(words: NDArray[np.uint32], current: NDArray[np.float64]) -> float:
    """Mean of the ranges' accuracies by the charge that each measured, as one rectangle."""
    ranges = np.minimum(words >> 14 & 7, len(ACCURACY) - 1)
    charge = np.abs(np.nan_to_num(current))
    total = float(charge.sum())
    weighted = float((np.array(ACCURACY)[ranges] * charge).sum())
    return (weighted / total if total else max(ACCURACY)) / math.sqrt(3)


def _gaps(stream: Stream, begin: float) -> tuple[tuple[float, float], ...]:
    """Spans that are missing; one of unknown length is where its neighbours meet."""
    return tuple(
        (begin + start * PERIOD_S, begin + (start + max(missing or 1, 1)) * PERIOD_S)
        for start, missing in stream.lost
    )
