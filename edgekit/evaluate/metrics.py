"""Accuracy metrics: a score for each row, and what the scores of a set come to."""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit._functions import PREFIX as _PYTHON
from edgekit._functions import load_function
from edgekit.errors import DataError, UsageError
from edgekit.evaluate.paired import class_vectors
from edgekit.runtimes.base import Row

NAMES = ("top1", "mse", "mae", "auc")
_CALLED = (
    "It is called with outputs [n, ...] and labels [n, ...], also of rows drawn with replacement, "
    "and returns a finite number."
)


@dataclass(frozen=True, eq=False)
class Scorer:
    """A metric made ready for a model and its labels.

    Attributes:
        name: As in the manifest.
        labels: One for each row, checked and in the form that `score` wants.
        score: From input row, outputs and label to what is kept of the row.
        total: From the scores of some rows and their labels to the metric's value.
        sign: 1 where more is better, -1 where less is.
        groups: int [n] where each resample must hold rows of every group, else None.
    """

    name: str
    labels: np.ndarray
    score: Callable[[Row, Row, Any], Any]
    total: Callable[[np.ndarray, np.ndarray], float]
    sign: int = 1
    groups: np.ndarray | None = None


def scorer(name: str, row: Row, outputs: Row, labels: np.ndarray) -> Scorer:
    """The metric `name` for a model with such inputs and outputs.

    Args:
        name: One of `NAMES`, `python:module:function`, or empty: by outputs and labels.
        row: One row of the model's inputs.
        outputs: What the model makes of it.
        labels: [n, ...], one for each row.

    Raises:
        DataError: A label does not fit the outputs; it is named.
        UsageError: There is no such metric, or it does not suit the outputs.
    """
    if labels.dtype.kind not in "iufb" or not np.isfinite(labels).all():
        raise DataError(
            f"labels are {labels.dtype}, not finite numbers", "give class numbers or values"
        )
    if name.startswith(_PYTHON):
        return _custom(name, labels)
    check_name(name)
    name = name or _choose(row, outputs, labels)
    makers = {"top1": _top1, "mse": _error, "mae": _error, "auc": _auc}
    return makers[name](name, row, outputs, labels)


def check_name(name: str) -> None:
    """Refuse a name that is no metric; empty is none yet.

    Raises:
        UsageError: With the nearest name there is.
    """
    if not name or name.startswith(_PYTHON) or name in NAMES:
        return
    near = difflib.get_close_matches(name, NAMES, 1)
    raise UsageError(
        f"there is no metric '{name}'",
        f"did you mean '{near[0]}'?"
        if near
        else f"there are: {', '.join(NAMES)}, python:module:function",
    )


def _choose(row: Row, outputs: Row, labels: np.ndarray) -> str:
    whole = bool((labels == np.round(labels)).all())
    binary = whole and set(np.unique(labels)) <= {0, 1}
    one_hot = binary and labels.ndim == 2 and bool((labels.sum(axis=1) == 1).all())
    if class_vectors(row, outputs) and (one_hot or (whole and labels.size == len(labels))):
        return "top1"
    if labels.size == len(labels) and binary:
        return "auc" if outputs[0].shape == row[0].shape and outputs[0].size > 1 else "top1"
    return "mse"


def _top1(name: str, row: Row, outputs: Row, labels: np.ndarray) -> Scorer:
    """Percent of rows whose largest output is at the label."""
    classes = class_vectors(row, outputs)
    if not classes and outputs[0].size != 1:
        raise UsageError(
            f"top1 needs one score a class, the model's output is {list(outputs[0].shape)}",
            "choose another metric: mse, mae, auc or python:module:function",
        )
    chosen = classes[0] if classes else 0
    size = outputs[chosen].size

    def score(_: Row, found: Row, label: Any) -> bool:
        values = found[chosen]
        guess = values.argmax() if values.size > 1 else values.ravel()[0] > 0.5
        return int(guess) == int(label)

    return Scorer(name, _class_numbers(labels, size), score, _percent)


def _class_numbers(labels: np.ndarray, size: int) -> np.ndarray:
    """Labels as integers 0..classes-1, from integers or one-hot vectors."""
    if labels.ndim > 1 and labels.size == len(labels):
        labels = labels.reshape(-1)
    if labels.ndim == 2:
        ones = (labels != 0).sum(axis=1)
        if labels.shape[1] != max(size, 2) or (ones != 1).any():
            raise DataError(
                f"labels of shape {list(labels.shape)} are not one-hot for {size} outputs",
                "give class numbers, or one column for each output of the model",
            )
        return np.asarray(labels.argmax(axis=1))
    top = max(size, 2) - 1
    wrong = np.flatnonzero((labels < 0) | (labels > top) | (labels != np.round(labels)))
    if labels.ndim != 1 or wrong.size:
        what = f"label {labels[wrong[0]]} of row {wrong[0]}" if wrong.size else "the labels"
        raise DataError(
            f"{what} does not fit a model with {size} output{'s' * (size > 1)}",
            f"labels are class numbers from 0 to {top}",
        )
    return labels.astype(np.int64)


def _error(name: str, row: Row, outputs: Row, labels: np.ndarray) -> Scorer:
    """Mean squared or mean absolute error of the first output."""
    size = outputs[0].size
    if labels.size != len(labels) * size:
        raise DataError(
            f"labels have {labels.size // max(len(labels), 1)} values a row, the output has {size}",
            "give one value for each value of the model's first output",
        )

    def score(_: Row, found: Row, label: Any) -> float:
        difference = found[0].astype(np.float64).ravel() - label
        return float(np.mean(np.abs(difference) if name == "mae" else difference**2))

    return Scorer(name, labels.reshape(len(labels), size), score, _mean, sign=-1)


def _auc(name: str, row: Row, outputs: Row, labels: np.ndarray) -> Scorer:
    """Area under the ROC curve, in percent, of a score or of the reconstruction error."""
    rebuilt = outputs[0].size > 1
    if rebuilt and outputs[0].shape != row[0].shape:
        raise UsageError(
            "auc needs one score, or an output of the input's shape; "
            f"the model's output is {list(outputs[0].shape)}",
            "choose another metric: top1, mse, mae or python:module:function",
        )
    numbers = _class_numbers(labels, 2)
    if len(np.unique(numbers)) != 2:
        raise DataError("auc needs rows of both labels 0 and 1", "add rows of the missing label")

    def score(given: Row, found: Row, _: Any) -> float:
        if not rebuilt:
            return float(found[0].ravel()[0])
        return float(np.mean((given[0].astype(np.float64) - found[0]) ** 2))

    return Scorer(name, numbers, score, area_under_curve, groups=numbers)


def area_under_curve(scores: np.ndarray, labels: np.ndarray) -> float:
    """Percent of (1, 0) pairs in which the 1 has the higher score; ties count half.

    Source: Mann and Whitney 1947; Hanley and McNeil 1982, Radiology 143, 29-36.
    """
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    ones = labels == 1
    n1 = int(ones.sum())
    wins = float(ranks[ones].sum()) - n1 * (n1 + 1) / 2
    return 100.0 * wins / (n1 * (len(labels) - n1))


def _custom(name: str, labels: np.ndarray) -> Scorer:
    function = load_function(name, "metric")

    def score(_: Row, found: Row, __: Any) -> np.ndarray:
        return np.asarray(found[0][0])

    def total(scores: np.ndarray, chosen: np.ndarray) -> float:
        try:
            with contextlib.redirect_stdout(sys.stderr):  # ours may be asked for JSON alone
                value = float(function(scores, chosen))
        except (Exception, SystemExit) as error:  # the user's code: anything may come
            raise UsageError(
                f"metric {name} fails: {type(error).__name__}: {error}", _CALLED
            ) from error
        if not np.isfinite(value):
            raise UsageError(f"metric {name} gives {value} for {len(chosen)} rows", _CALLED)
        return value

    return Scorer(name, labels, score, total)


def _percent(scores: np.ndarray, _: np.ndarray) -> float:
    return 100.0 * float(np.mean(scores))


def _mean(scores: np.ndarray, _: np.ndarray) -> float:
    return float(np.mean(scores))
