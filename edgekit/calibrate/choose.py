"""Which estimator and which corrections: tried on most rows, judged by the SQNR on the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from edgekit.calibrate import ranges
from edgekit.calibrate.bias_correct import bias_correct
from edgekit.calibrate.equalise import difference, equalise
from edgekit.calibrate.estimators import base
from edgekit.calibrate.interpret import Row, Rows, sqnr
from edgekit.model import TensorSpec
from edgekit.problem import Problem

EVERY = 5  # one row in five is held out
HELD = 64  # at most
TIE = 0.1  # dB: less is noise, and the simpler recipe wins


@dataclass(frozen=True)
class Wish:
    """What was asked for: `estimator` may be `auto`; the others are `off`, `on` or `auto`."""

    estimator: str
    equalise: str
    bias_correct: str


@dataclass(frozen=True)
class Recipe:
    """What to do to the float model: settled, nothing left to `auto`."""

    estimator: str = "minmax"
    equalise: bool = False
    bias_correct: bool = False


@dataclass(frozen=True)
class Chosen:
    """The recipe, what the trials measured (`Quantized.effects`), and what the user should know."""

    recipe: Recipe
    effects: dict[str, Any]
    problems: tuple[Problem, ...] = ()


class Pipeline:
    """Carries out recipes for one model.

    Args:
        tflite: The float flatbuffer.
        inputs: Of the model.
        to_integers: Quantizes a flatbuffer that holds calibrated ranges.
    """

    def __init__(
        self, tflite: bytes, inputs: Sequence[TensorSpec], to_integers: Callable[[bytes], bytes]
    ) -> None:
        self.tflite = tflite
        self._inputs = inputs
        self._to_integers = to_integers

    def make(self, recipe: Recipe, rows: Rows) -> bytes:
        """The integer flatbuffer of one recipe."""
        tflite = equalise(self.tflite, rows).tflite if recipe.equalise else self.tflite
        built = self._each(tflite, [recipe.estimator], rows)[recipe.estimator]
        return bias_correct(tflite, built, rows).tflite if recipe.bias_correct else built

    def estimators(self, names: Sequence[str], rows: Rows) -> dict[str, bytes]:
        """The integer flatbuffers of several estimators; they share the passes over `rows`."""
        return self._each(self.tflite, names, rows)

    def _each(self, tflite: bytes, names: Sequence[str], rows: Rows) -> dict[str, bytes]:
        calibrated = ranges.calibrate(tflite, self._inputs, rows)
        ranged = ranges.estimate(tflite, calibrated, rows, names)
        return {name: self._to_integers(data) for name, data in ranged.items()}


def choose(pipeline: Pipeline, wish: Wish, rows: Rows) -> Chosen:
    """Settle what the wish leaves open, and measure what its corrections bring.

    Greedy: the estimator first, then equalisation, then bias correction.
    """
    if wish.estimator != "auto" and wish.equalise == wish.bias_correct == "off":
        return Chosen(Recipe(wish.estimator), {})
    fit, held, problems = split(rows)
    names = base.names() if wish.estimator == "auto" else [wish.estimator]
    scores = {
        name: sqnr(pipeline.tflite, built, held)
        for name, built in pipeline.estimators(names, fit).items()
    }
    best = max(names, key=lambda name: scores[name] + TIE * (name == "minmax"))
    effects: dict[str, Any] = {}
    if wish.estimator == "auto":
        effects["estimator"] = {"chosen": best, "sqnr_db": _rounded(scores)}
    recipe, level = Recipe(best), scores[best]
    for correction in ("equalise", "bias_correct"):
        wanted: str = getattr(wish, correction)
        if wanted == "off":
            continue
        detail = _detail(pipeline.tflite, correction, fit)
        if detail.get("pairs") == 0:
            effects[correction] = {"applied": False, **detail}
            continue
        trial = replace(recipe, **{correction: True})  # type: ignore[arg-type]
        after = sqnr(pipeline.tflite, pipeline.make(trial, fit), held)
        applied = wanted == "on" or after > level + TIE
        measured = _rounded({"before_db": level, "after_db": after})
        effects[correction] = {"applied": applied, **measured, **detail}
        recipe, level = (trial, after) if applied else (recipe, level)
    return Chosen(recipe, effects, problems)


def split(rows: Rows) -> tuple[Rows, Rows, tuple[Problem, ...]]:
    """Rows to fit, rows held out; with fewer than five, all serve for both, which is said."""
    if sum(1 for _ in islice(rows(), EVERY)) < EVERY:
        problem = Problem(
            "warning",
            "calibration",
            f"fewer than {EVERY} samples: choices are judged on the samples they were made from",
            "Give 50 to 500 samples.",
        )
        return rows, rows, (problem,)

    def fit() -> Iterator[Row]:
        return (row for number, row in enumerate(rows()) if number % EVERY != EVERY - 1)

    def held() -> Iterator[Row]:
        return islice(islice(rows(), EVERY - 1, None, EVERY), HELD)

    return fit, held, ()


def _detail(tflite: bytes, correction: str, rows: Rows) -> dict[str, Any]:
    """What there is to tell beside the SQNR; checks that equalisation kept the function."""
    if correction != "equalise":
        return {}
    result = equalise(tflite, rows)
    moved = difference(tflite, result.tflite, rows) if result.pairs else 0.0
    return {
        "pairs": len(result.pairs),
        "skipped": len(result.skipped),
        "float_difference": float(f"{moved:.1e}"),
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in values.items()}
