"""Shares of zeros by the sensitivity of layers, from a file or measured now."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgekit.artifact import sha256
from edgekit.passes.base import Context
from edgekit.sensitivities.allocate import Unit, allocate
from edgekit.sensitivities.analyse import Asked, analyse
from edgekit.sensitivities.result import Sensitivity
from edgekit.training.rows import Rows

LEVELS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
_ROWS = 256


def parted(
    tflite: bytes, names: Sequence[str], share: float, unit: Unit, file: str, context: Context
) -> dict[str, float]:
    """Layer name -> its share of zeros, so that the model suffers least by all of them.

    Args:
        tflite: The float flatbuffer.
        names: Of the layers.
        share: Of their weights, or multiply-accumulates, that goes.
        unit: Which of these.
        file: Of an analysis; "": it is made now, on at most 256 rows.
        context: Rows and progress.

    Raises:
        ModelError: The model gives NaN.
        UsageError: No such file, or one of another model or without these layers.
    """
    if file:
        found = Sensitivity.from_file(Path(file), sha256(tflite))
    else:
        found = _measured(tflite, context)
    return allocate(found, "prune", share, unit, layers=names)


def _measured(tflite: bytes, context: Context) -> Sensitivity:
    rows = _some(context.rows)
    asked = Asked("the model", tflite, rows, rows, "", "", ("prune",), LEVELS, seed=context.seed)
    return analyse(asked, context.progress)[0]


def _some(rows: Rows) -> Rows:
    """At most 256, evenly spread; how much answers change needs no labels."""
    chosen = np.unique(np.linspace(0, len(rows) - 1, _ROWS).astype(np.int64))
    return dataclasses.replace(rows, inputs=rows.batch(chosen), labels=None)
