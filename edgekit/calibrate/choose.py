"""Which estimator and which corrections: tried, and judged by the SQNR of the outputs.

An estimator is fitted to most rows and judged on the rest. The corrections have nothing that could
fit a row by chance, so they are judged on some of the calibration rows, and what won is the result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from edgekit.calibrate import ranges
from edgekit.calibrate.bias_correct import bias_correct
from edgekit.calibrate.equalise import difference, equalise
from edgekit.calibrate.estimators import base
from edgekit.calibrate.interpret import Judge, Row, Rows
from edgekit.model import TensorSpec
from edgekit.problem import Problem

EVERY = 5  # one row in five is held out
HELD = 64  # at most
JUDGED = 16  # rows that corrections are judged on
CORRECTIONS = ("equalise", "bias_correct")  # in the order in which they are applied
Corrections = tuple[str, ...]
TIE = 0.1  # dB: less is nothing, and the simpler recipe wins
MARGIN = 1.5  # dB that corrections must bring: a few rows measure no finer
NOISE = 0.5  # dB that decide nothing between corrections: both together complement each other


@dataclass(frozen=True)
class Wish:
    """What was asked for: `estimator` may be `auto`; the others are `off`, `on` or `auto`."""

    estimator: str
    equalise: str
    bias_correct: str


@dataclass(frozen=True)
class Chosen:
    """What came out.

    Attributes:
        tflite: The integer flatbuffer.
        reference: The float flatbuffer that it was made of: equalised, where that was kept.
        estimator: That gave its ranges.
        effects: What the trials measured (`Quantized.effects`).
        problems: What the user should know.
    """

    tflite: bytes
    reference: bytes
    estimator: str
    effects: dict[str, Any]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Made:
    """An integer flatbuffer, and the float one that its biases are measured against."""

    reference: bytes
    built: bytes


class Pipeline:
    """Carries out recipes for one model.

    Args:
        tflite: The float flatbuffer.
        inputs: Of the model.
        to_integers: Quantizes a flatbuffer that holds calibrated ranges.
        exact: Names of activations that keep their smallest and largest value as range, whatever
            the estimator: they get bits enough.
    """

    def __init__(
        self,
        tflite: bytes,
        inputs: Sequence[TensorSpec],
        to_integers: Callable[[bytes], bytes],
        exact: Collection[str] = (),
    ) -> None:
        self.tflite = tflite
        self._inputs = inputs
        self._to_integers = to_integers
        self._exact = exact

    def estimators(self, names: Sequence[str], rows: Rows) -> dict[str, bytes]:
        """The integer flatbuffers of several estimators; they share the passes over `rows`."""
        return self._each(self.tflite, names, rows)

    def plain(self, estimator: str, rows: Rows) -> Made:
        """Quantized with this estimator, without corrections."""
        return Made(self.tflite, self._each(self.tflite, [estimator], rows)[estimator])

    def equalised(self, estimator: str, rows: Rows) -> tuple[Made | None, dict[str, Any]]:
        """The same after equalisation (None where there is nothing to equalise), and details."""
        result = equalise(self.tflite, rows)
        detail: dict[str, Any] = {"pairs": len(result.pairs), "skipped": len(result.skipped)}
        if not result.pairs:
            return None, detail
        moved = difference(self.tflite, result.tflite, rows)
        made = Made(result.tflite, self._each(result.tflite, [estimator], rows)[estimator])
        return made, {**detail, "float_difference": float(f"{moved:.1e}")}

    def _each(self, tflite: bytes, names: Sequence[str], rows: Rows) -> dict[str, bytes]:
        calibrated = ranges.calibrate(tflite, self._inputs, rows)
        ranged = ranges.estimate(tflite, calibrated, rows, names, self._exact)
        return {name: self._to_integers(data) for name, data in ranged.items()}


def choose(pipeline: Pipeline, wish: Wish, rows: Rows) -> Chosen:
    """Carry out the wish, settle what it leaves open, and measure what its corrections bring."""
    effects: dict[str, Any] = {}
    problems: tuple[Problem, ...] = ()
    estimator = wish.estimator
    if estimator == "auto":
        estimator, scores, problems = _best_estimator(pipeline, rows)
        effects["estimator"] = {"chosen": estimator, "sqnr_db": scores}
    plain = pipeline.plain(estimator, rows)
    if wish.equalise == wish.bias_correct == "off":
        return Chosen(plain.built, plain.reference, estimator, effects, problems)
    variants, details = _variants(pipeline, wish, estimator, plain, rows)
    judge = Judge(pipeline.tflite, spread(rows))
    levels = {corrections: judge.sqnr(made.built) for corrections, made in variants.items()}
    best = _best(levels, _allowed(levels, wish))
    for name in CORRECTIONS:
        if getattr(wish, name) != "off":
            effects[name] = _effect(name, best, levels) | details[name]
    return Chosen(variants[best].built, variants[best].reference, estimator, effects, problems)


def _variants(
    pipeline: Pipeline, wish: Wish, estimator: str, plain: Made, rows: Rows
) -> tuple[dict[Corrections, Made], dict[str, dict[str, Any]]]:
    """The integer flatbuffers of all sets of corrections that may be applied, and details."""
    bases: dict[Corrections, Made] = {(): plain}
    details: dict[str, dict[str, Any]] = {}
    if wish.equalise != "off":
        equalised, details["equalise"] = pipeline.equalised(estimator, rows)
        if equalised:
            bases[("equalise",)] = equalised
    variants = dict(bases)
    if wish.bias_correct != "off":
        for corrections, made in bases.items():
            corrected = bias_correct(made.reference, made.built, rows)
            details["bias_correct"] = {"layers": corrected.layers}
            if corrected.layers:
                together = (*corrections, "bias_correct")
                variants[together] = Made(made.reference, corrected.tflite)
    return variants, details


def _best(levels: dict[Corrections, float], allowed: list[Corrections]) -> Corrections:
    """The closest to the float model; the plainest unless something is closer by `MARGIN`."""
    plainest = min(allowed, key=len)
    best = max(allowed, key=lambda tried: levels[tried] + NOISE * len(tried))
    return best if levels[best] > levels[plainest] + MARGIN else plainest


def _allowed(levels: dict[Corrections, float], wish: Wish) -> list[Corrections]:
    """What was tried and holds everything that must be `on` and can be."""
    wanted = {name for name in CORRECTIONS if getattr(wish, name) == "on"}
    possible = wanted & {name for tried in levels for name in tried}
    return [tried for tried in levels if possible <= set(tried)]


def _best_estimator(
    pipeline: Pipeline, rows: Rows
) -> tuple[str, dict[str, float], tuple[Problem, ...]]:
    fit, held, problems = split(rows)
    judge = Judge(pipeline.tflite, held)
    names = base.names()
    built = pipeline.estimators(names, fit)
    scores = {name: judge.sqnr(built[name]) for name in names}
    best = max(names, key=lambda name: scores[name] + TIE * (name == "minmax"))
    return best, {name: round(score, 2) for name, score in scores.items()}, problems


def spread(rows: Rows, most: int = JUDGED) -> Rows:
    """At most `most` of the rows, evenly spaced."""
    step = max(1, -(-sum(1 for _ in rows()) // most))
    return lambda: islice(rows(), 0, None, step)


def split(rows: Rows) -> tuple[Rows, Rows, tuple[Problem, ...]]:
    """Rows to fit, rows held out; with fewer than five, all serve for both, which is said."""
    if sum(1 for _ in islice(rows(), EVERY)) < EVERY:
        problem = Problem(
            "warning",
            "calibration",
            f"fewer than {EVERY} samples: choices are judged on the samples they were made from",
            "give 50 to 500 samples",
        )
        return rows, rows, (problem,)

    def fit() -> Iterator[Row]:
        return (row for number, row in enumerate(rows()) if number % EVERY != EVERY - 1)

    def held() -> Iterator[Row]:
        return islice(islice(rows(), EVERY - 1, None, EVERY), HELD)

    return fit, held, ()


def _effect(name: str, best: Corrections, levels: dict[Corrections, float]) -> dict[str, Any]:
    """Whether a correction was applied, and the SQNR without it and with it, all else equal."""
    others = tuple(other for other in best if other != name)
    together = tuple(other for other in CORRECTIONS if other == name or other in others)
    before = levels[others]
    after = levels.get(together, before)
    return {"applied": name in best, "before_db": round(before, 2), "after_db": round(after, 2)}
