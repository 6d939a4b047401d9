"""Looks over calibration data in one streamed pass and says what is odd, with advice.

NaN and infinity are refused by `Prepared` itself. Everything here is a `Problem`; none stops a
build.
"""

from __future__ import annotations

from itertools import islice

import numpy as np

from edgekit.data.convention import Predict, is_bytes
from edgekit.data.prepare import Prepared
from edgekit.data.samples import Samples
from edgekit.data.statistics import Statistics, gather
from edgekit.data.value_range import check_values
from edgekit.preprocess import Preprocess
from edgekit.problem import Problem

FEW = 20
"""Fewer rows than this are a warning; the usual advice is 100 to 500."""
UNLIKE = 20.0
"""Ratio of the largest values of two sets from which they are in different units: 0..1 and 0..255
differ by 255, int8 and -1..1 by 128."""
ALIKE_ROWS = 32
"""Rows of each set that are looked at for that."""
CLIPPED = 0.05
"""Share of values on the largest (smallest) one from which the data count as clipped."""
REPEATED = 0.05
"""Share of rows that repeat another from which that is a warning."""


def check(
    rows: Prepared,
    preprocess: Preprocess,
    predict: Predict | None = None,
    expected: tuple[float, float] | None = None,
    option: str = "--calibration",
) -> list[Problem]:
    """Warnings and notes about the rows that calibration uses.

    Args:
        rows: Model-ready rows; one pass, and a few rows once more if `predict` is given.
        preprocess: As declared.
        predict: The float model; lets the answers decide whether the values suit it.
        expected: (least, largest) value that the model is known to want, or None.
        option: Named in the messages.

    Raises:
        DataError: NaN, infinity, a row that cannot be read or does not fit.
    """
    if not len(rows):
        return []
    seen = gather(rows)
    return [
        *_amount(rows, seen, option),
        *check_values(rows, preprocess, seen, predict, expected, option),
        *_clipped(seen, option),
        *_dead_channels(rows, seen, option),
    ]


def check_repeated(samples: Samples, option: str = "--evaluation") -> list[Problem]:
    """A warning where rows to be judged on repeat: each counts again, and intervals lie."""
    count = len(samples)
    repeated = count - len(set(samples.hashes()))
    if repeated <= REPEATED * count:
        return []
    message = f"{repeated} of {count} samples repeat others: accuracy counts each of them again"
    return [Problem("warning", option, message, "give every sample once")]


def check_alike(rows: Prepared, others: Prepared, option: str = "--evaluation") -> list[Problem]:
    """A warning where `others` are so much larger or smaller that one scaling cannot fit both.

    Args:
        rows: Model-ready rows of the calibration.
        others: Model-ready rows to be judged on; the first few are looked at.
        option: Named in the message.
    """
    reach, other = (_reach(side) for side in (rows, others))
    if not reach or not other or 1 / UNLIKE < other / reach < UNLIKE:
        return []
    message = f"the values reach {other:g} after preprocessing, those of --calibration {reach:g}"
    hint = "store both in one range: one --preprocess applies to all data"
    return [Problem("warning", option, message, hint)]


def _reach(rows: Prepared) -> float:
    """Largest absolute ready value of the first rows."""
    return max((float(np.abs(row[0]).max()) for row in islice(rows, ALIKE_ROWS)), default=0.0)


def _amount(rows: Prepared, seen: Statistics, option: str) -> list[Problem]:
    count, problems = len(rows), []
    if count < FEW:
        what = "only 1 sample" if count == 1 else f"only {count} samples"
        problems.append(
            Problem(
                "warning",
                option,
                f"{what}: the ranges will fit these and little else",
                "give 100 to 500 samples that cover what the device will see",
            )
        )
    problems += _constant(rows, seen, option)
    if count > 1 and seen.repeated > REPEATED * count:
        problems.append(
            Problem(
                "warning",
                option,
                f"{seen.repeated} of {count} samples repeat others: they add nothing to the ranges",
                "give different samples",
            )
        )
    return problems


def _constant(rows: Prepared, seen: Statistics, option: str) -> list[Problem]:
    count, problems = len(rows), []
    if seen.constants == count > 1:
        problems.append(
            Problem(
                "warning",
                option,
                f"every sample is one constant value ({rows.samples.where(0)} and all others)",
                "check how the data were written, and which array is read (PATH:array)",
            )
        )
    elif seen.constants:
        names = ", ".join(rows.samples.where(position) for position in seen.constant)
        more = f" and {seen.constants - len(seen.constant)} more" if seen.constants > 3 else ""
        problems.append(
            Problem(
                "warning",
                option,
                f"{seen.constants} of {count} samples are one constant value: {names}{more}",
                "take empty samples out, unless the device will see such",
            )
        )
    return problems


def _clipped(seen: Statistics, option: str) -> list[Problem]:
    """Values that pile up on the largest one (and the smallest, if negative) were cut off there."""
    high, low = seen.at_high / seen.count, seen.at_low / seen.count
    if high + low > 0.95:  # two values only: drawings, masks
        return []
    ends = [(high, seen.high)] + ([(low, seen.low)] if seen.low < 0 else [])
    hint = "record with less gain, or scale before converting to integers"
    pictures = is_bytes(seen.low, seen.high, seen.whole)  # a white background is no fault
    return [
        Problem(
            "note" if pictures else "warning",
            option,
            f"{100 * share:.0f} % of the values sit on the limit {end:g}: the data look clipped "
            "(saturated)",
            f"if that is a white background, all is well; else {hint}" if pictures else hint,
        )
        for share, end in ends
        if CLIPPED < share <= 0.5
    ]


def _dead_channels(rows: Prepared, seen: Statistics, option: str) -> list[Problem]:
    problems = []
    for spec, (low, high) in zip(rows.inputs, seen.ready, strict=True):
        # Columns of a small picture and single features may well be constant: no channels.
        channels = len(spec.shape) > 3 or (len(spec.shape) == 3 and spec.shape[-1] <= 16)
        dead = np.flatnonzero(low == high) if channels and spec.shape[-1] > 1 else np.array([])
        if 0 < dead.size < spec.shape[-1]:
            names = ", ".join(map(str, dead[:5].tolist())) + (" ..." if dead.size > 5 else "")
            value = float(low[int(dead[0])])
            problems.append(
                Problem(
                    "warning",
                    option,
                    f"channel {names} of the input {spec.name} is never active (always {value:g})",
                    "check the channel order and the layout, and that every sensor is connected",
                )
            )
    return problems
