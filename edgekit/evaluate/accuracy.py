"""Accuracy of float and built model on the same labelled rows, and what the build cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgekit.errors import DataError
from edgekit.evaluate import metrics
from edgekit.evaluate.intervals import bootstrap, paired_proportions
from edgekit.evaluate.paired import Answer, Reference, pairs
from edgekit.runtimes.base import Row

Number = float  # `Accuracy` has a field of that name, which hides the type
Interval = tuple[float, float]


@dataclass(frozen=True)
class Accuracy:
    """What both models reach, and the difference.

    Attributes:
        metric: `top1` and `auc` in percent 0..100; `mse` and `mae` in the labels' units;
            `python:module:function` in its own.
        samples: Labelled rows.
        float: The model as given.
        built: The built model.
        drop: What the build cost, positive is worse: float - built in points; for `mse` and
            `mae`, where less is better, built - float.
        interval: 95 % confidence interval of the drop, lower and upper limit.
        discordant: Rows that only the float model, and that only the built one gets right; None
            for metrics that do not count rows.
    """

    metric: str
    samples: int
    float: Number
    built: Number
    drop: Number
    interval: Interval
    discordant: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """The accuracy as the manifest stores it, rounded to six digits after the point."""
        data = asdict(self)
        for key in ("float", "built", "drop"):
            data[key] = round(data[key], 6)
        data["interval"] = [round(limit, 6) for limit in self.interval]
        data["discordant"] = list(self.discordant) if self.discordant else None
        return data


def measure(
    reference: Reference,
    built: bytes,
    rows: Iterable[Row],
    labels: Sequence[Any] | np.ndarray,
    runtime: str,
    metric: str = "",
    seed: int = 0,
    answer: Answer | None = None,
) -> Accuracy:
    """Judge float and built model on the same labelled rows.

    Args:
        reference: The float model: a function or a flatbuffer.
        built: The built flatbuffer.
        rows: Model-ready float32 arrays `[1, ...]`, one for each input; read once.
        labels: One for each row. `top1`: integers or one-hot vectors; a single output is a
            probability, thresholded at 0.5, for labels 0 and 1. `mse`, `mae`: values of the
            first output's size. `auc`: 0 and 1, of the score, or of the reconstruction error
            where the output has the input's shape (1 is the anomaly).
        runtime: What runs `built`; see `edgekit.runtimes.base.RUNTIMES`.
        metric: `top1`, `mse`, `mae`, `auc` or `python:module:function`, a function of outputs
            `[n, ...]` and labels `[n, ...]` whose value is better when larger; empty: by labels
            and outputs.
        seed: Of the bootstrap, which gives the interval of all metrics but top1.
        answer: As `pairs` takes it.

    Raises:
        DataError: Labels do not fit the outputs, or are not as many as the rows.
        UsageError: There is no such metric, or it does not suit the model's outputs.
        ModelError, TargetError: One of the models cannot be run.
    """
    answers = np.asarray(labels)
    scorer: metrics.Scorer | None = None
    scores: list[tuple[Any, Any]] = []
    for index, pair in enumerate(pairs(reference, built, rows, runtime, answer)):
        if index >= len(answers):
            raise _miscounted(f"more than {len(answers)}", len(answers))
        scorer = scorer or metrics.scorer(metric, pair.row, pair.reference, answers)
        label, both = scorer.labels[index], (pair.reference, pair.built)
        first, second = (scorer.score(pair.row, outputs, label) for outputs in both)
        scores.append((first, second))
    if scorer is None or len(scores) != len(answers):
        raise _miscounted(str(len(scores)), len(answers))
    return _judge(scorer, scores, seed)


def _judge(scorer: metrics.Scorer, scores: list[tuple[Any, Any]], seed: int) -> Accuracy:
    left, right = (np.asarray(side) for side in zip(*scores, strict=True))
    everything = np.arange(len(scores))

    def value(side: np.ndarray, chosen: np.ndarray) -> float:
        return scorer.total(side[chosen], scorer.labels[chosen])

    def drop(chosen: np.ndarray) -> float:
        return scorer.sign * (value(left, chosen) - value(right, chosen))

    discordant = None
    if scorer.name == "top1":
        interval = _top1_interval(left, right)
        discordant = int((left & ~right).sum()), int((~left & right).sum())
    else:
        interval = bootstrap(drop, len(scores), seed, scorer.groups)
    given, built = value(left, everything), value(right, everything)
    figures = given, built, scorer.sign * (given - built), interval
    return Accuracy(scorer.name, len(scores), *figures, discordant)


def _top1_interval(left: np.ndarray, right: np.ndarray) -> Interval:
    """Of the drop in points, from which rows each model gets right."""
    low, high = paired_proportions(
        both=int((left & right).sum()),
        first_only=int((left & ~right).sum()),
        second_only=int((~left & right).sum()),
        neither=int((~left & ~right).sum()),
    )
    return 100.0 * low, 100.0 * high


def _miscounted(rows: str, labels: int) -> DataError:
    return DataError(
        f"there are {rows} rows and {labels} labels" if labels else "there are no labelled rows",
        "give evaluation data with one label for each row",
    )
