"""How good a changed model is: accuracy with labels, else how far it agrees with the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import ModelError
from edgekit.evaluate.metrics import Scorer, scorer
from edgekit.evaluate.paired import class_vectors
from edgekit.evaluate.sqnr import Sqnr
from edgekit.runtimes.base import Row
from edgekit.training.rows import Rows

Outputs = Sequence[NDArray[Any]]
"""Of each output of the model, [rows, ...]."""


class Judge:
    """Judges outputs on rows.

    Args:
        rows: With labels or without.
        shapes: Of the model's outputs, with the batch axis of 1.
        original: What the original makes of the rows.
        metric: As `evaluate.metrics.scorer` takes it; "": by labels and outputs.

    Attributes:
        metric: What is measured, `agreement` or `sqnr_db` without labels.
        better: Whether it is better higher or lower.

    Raises:
        DataError: Labels that do not fit the outputs.
        ModelError: The original gives NaN or infinity.
        UsageError: A metric that there is not, or that does not suit the outputs.
    """

    def __init__(
        self, rows: Rows, shapes: Sequence[tuple[int, ...]], original: Outputs, metric: str
    ) -> None:
        if not all(np.isfinite(output).all() for output in original):
            raise ModelError(
                "the model gives NaN or infinity", "check the model and its preprocessing"
            )
        self._rows, self._shapes, self._original = rows, shapes, original
        row, made = self._input(0), self._output(original, 0)
        self._scorer: Scorer | None = None
        if rows.labels is not None:
            self._scorer = scorer(metric, row, made, rows.labels)
        self._classes = class_vectors(row, made)
        without = "agreement" if self._classes else "sqnr_db"
        self.metric = self._scorer.name if self._scorer else without
        sign = self._scorer.sign if self._scorer else 1
        self.better: Literal["higher", "lower"] = "higher" if sign > 0 else "lower"

    def __call__(self, outputs: Outputs) -> float:
        """The metric of these outputs, one row a row."""
        count = len(self._rows)
        if self._scorer is not None:
            scores = [
                self._scorer.score(self._input(n), self._output(outputs, n), label)
                for n, label in enumerate(self._scorer.labels)
            ]
            return self._scorer.total(np.asarray(scores), self._scorer.labels)
        if not self._classes:
            return Sqnr().add(tuple(self._original), tuple(outputs)).db
        same = np.ones(count, bool)
        for k in self._classes:
            chosen = [side[k].reshape(count, -1).argmax(1) for side in (self._original, outputs)]
            same &= chosen[0] == chosen[1]
        return 100.0 * float(same.mean())

    def __len__(self) -> int:
        return len(self._rows)

    def _input(self, row: int) -> Row:
        return tuple(array[row : row + 1] for array in self._rows.inputs)

    def _output(self, outputs: Outputs, row: int) -> Row:
        each = zip(outputs, self._shapes, strict=True)
        return tuple(output[row].reshape(shape) for output, shape in each)
