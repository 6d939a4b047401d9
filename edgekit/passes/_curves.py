"""What a group of channels costs at each width, from a sensitivity analysis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.artifact import sha256
from edgekit.errors import UsageError
from edgekit.passes._remove_options import RemoveOptions
from edgekit.passes.base import Context
from edgekit.sensitivities.result import Curve, Sensitivity
from edgekit.structure.groups import Group

Array = NDArray[Any]
_CODES = ""
"""Hashes of rows, for an analysis that is kept nowhere."""


def losses(
    found: Sequence[Group], tflite: bytes, options: RemoveOptions, context: Context
) -> list[Array]:
    """For each group the loss with 0, 1, ... and all of its channels gone.

    Args:
        found: Groups that may lose channels.
        tflite: The float flatbuffer that they are of.
        options: Name the file of an analysis; without, one is made on the guard rows.
        context: The original, which a file must be about, and rows.

    Raises:
        UsageError: No such file, one of another model, or one without a curve of a group.
    """
    known = _read(options.sensitivity, context) if options.sensitivity else _made(tflite, context)
    curves = {curve.layers: curve for curve in known.of("remove")}
    for group in found:
        if group.layers not in curves:
            raise UsageError(
                f"the sensitivity analysis has no curve of the channels of {group.layers[0]}",
                "analyse them: edgekit sensitivity MODEL --kinds remove --calibration DATA",
            )
    return [_along(curves[group.layers], len(group.units)) for group in found]


def _read(path: str, context: Context) -> Sensitivity:
    return Sensitivity.from_file(Path(path), sha256(context.original))


def _made(tflite: bytes, context: Context) -> Sensitivity:
    from edgekit.sensitivities.analyse import Asked, analyse
    from edgekit.training.rows import Rows

    rows, calibration = (Rows(each.inputs) for each in (context.guard, context.rows))
    asked = Asked(
        "model",
        tflite,
        rows,
        calibration,
        rows_sha256=_CODES,
        calibration_sha256=_CODES,
        kinds=("remove",),
        seed=context.seed,
    )
    return analyse(asked, context.progress)[0]


def _along(curve: Curve, units: int) -> Array:
    """The measured losses, never falling, with lines between them and on to all channels."""
    levels = np.array([0.0, *(point.level for point in curve.points)])
    costs = np.maximum.accumulate([0.0, *(point.loss for point in curve.points)])
    slope = (costs[-1] - costs[-2]) / (levels[-1] - levels[-2]) if len(levels) > 1 else 0.0
    end = costs[-1] + slope * (1 - levels[-1])
    shares = np.arange(units + 1) / units
    return np.interp(shares, np.append(levels, 1.0), np.append(costs, end))
