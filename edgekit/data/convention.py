"""Does the model answer as a trained classifier does when it is fed as declared?

A wrong input convention shows in the answers to unlabeled rows, in one of three ways:

    saturated   the runner-up's probability is below 1e-8 for most rows: inputs are too large
                (of raw scores only where another convention sees half as many classes again)
    flat        the scores hardly change from row to row: inputs are too small or far off
    narrow      nearly all rows fall into one or a few classes, and under another usual convention
                the same rows are told apart clearly

The first is judged alone for probabilities; the others only when another convention does clearly
better, so that a set of one class, or a weak model, gives no alarm. Information is the mutual
information of row and class, H(mean p) - mean H(p) (the BALD score of Houlsby et al. 2011, over
rows), as a share of log(classes); spread is exp of the entropy of the predicted classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgekit.data.prepare import Prepared
from edgekit.preprocess import NAMED, Preprocess

Predict = Callable[[tuple[NDArray[Any], ...]], tuple[NDArray[Any], ...]]
"""The float model: a model-ready row, a tuple of arrays [1, ...], to its outputs."""

ROWS = 32
"""Rows that are tried: enough to tell ten classes apart."""
SATURATED = -8.0
"""log10 of the runner-up's probability: right conventions gave -0.6 to -5.4, raw pictures into
models of small inputs -9.7 to below -45 (22 models, measured)."""
FLAT = 0.3
"""Deviation of the log-probabilities over rows, in nats: right gave >= 0.5, too small <= 0.25."""
INFORMED = 0.3
"""Information that another convention must add to count as telling the rows apart."""


@dataclass(frozen=True)
class Response:
    """How the model answers a set of rows.

    Attributes:
        information: 0 (answers do not depend on the row) to 1 (sure, and all classes alike often).
        spread: Effective number of predicted classes.
        sensitivity: Deviation over rows of the log-probabilities, in nats.
        runner_up: Median log10 probability of the second class.
        scores: Whether the outputs are raw scores, to which softmax was applied here.
    """

    information: float
    spread: float
    sensitivity: float
    runner_up: float
    scores: bool

    @property
    def healthy(self) -> bool:
        """Neither saturated nor flat."""
        return self.runner_up >= SATURATED and self.sensitivity >= FLAT


@dataclass(frozen=True)
class Judgement:
    """What the answers say about the declared convention.

    Attributes:
        kind: `unknown` when the outputs are no class scores or nothing better was found.
        likely: A convention that works better, or None.
        response: To the rows as declared, or None when unknown from the start.
        better: To the rows as `likely` has them.
    """

    kind: Literal["fine", "saturated", "flat", "narrow", "unknown"]
    likely: Preprocess | None = None
    response: Response | None = None
    better: Response | None = None


def judge(rows: Prepared, predict: Predict, candidates: tuple[Preprocess, ...]) -> Judgement:
    """Try the rows as declared and, only if that looks odd, as each of `candidates`.

    Args:
        rows: Spread over the set by the function: `ROWS` of them are used.
        predict: The float model.
        candidates: The usual conventions for such data, the commonest first.
    """
    count = len(rows)
    rows = rows.take(np.unique(np.linspace(0, count - 1, min(ROWS, count)).astype(np.int64)))
    declared, classes = _respond(rows, predict)
    if declared is None or len(rows) < 8:
        return Judgement("unknown")
    saturated = declared.runner_up < SATURATED
    flat = declared.sensitivity < FLAT
    reachable = min(classes, len(rows) / 3)
    narrow = declared.information <= 1 - INFORMED and declared.spread < reachable / 1.5
    if not (saturated or flat or narrow):
        return Judgement("fine", response=declared)
    likely, better = _best(rows, predict, candidates)
    if saturated and declared.scores:
        # Raw scores may lie as far apart as they like, as long as they tell the rows apart.
        worse = better is not None and better.spread >= 1.5 * declared.spread
        return Judgement("saturated" if worse else "fine", likely, declared, better)
    if saturated:
        return Judgement("saturated", likely, declared, better)
    if flat:
        clearer = better is not None and better.sensitivity > 3 * declared.sensitivity
        return Judgement("flat" if clearer else "unknown", likely, declared, better)
    if better is not None and classes > 2 and _told_apart(declared, better, reachable):
        return Judgement("narrow", likely, declared, better)
    return Judgement("fine", response=declared)


def _told_apart(declared: Response, better: Response, reachable: float) -> bool:
    informed = better.information >= declared.information + INFORMED
    return informed and better.spread >= max(1.5 * declared.spread, 0.6 * reachable)


def _best(
    rows: Prepared, predict: Predict, candidates: tuple[Preprocess, ...]
) -> tuple[Preprocess, Response] | tuple[None, None]:
    """The commonest convention among the healthy ones that are about as informed as the best."""
    tried = []
    for candidate in candidates:
        response, _ = _respond(replace(rows, preprocess=candidate), predict)
        if candidate != rows.preprocess and response is not None and response.healthy:
            tried.append((candidate, response))
    most = max((response.information for _, response in tried), default=0.0)
    for candidate, response in tried:
        if response.information >= 0.85 * most:
            return candidate, response
    return None, None


def _respond(rows: Prepared, predict: Predict) -> tuple[Response | None, int]:
    outputs = []
    for row in rows:
        output = np.asarray(predict(row)[0], dtype=np.float64)
        if output.size == row[0].size or output.size != output.shape[-1] or not output.size:
            return None, 0  # an autoencoder, a map, boxes: no class scores
        outputs.append(output.ravel())
    values = np.array(outputs)
    if not np.isfinite(values).all():
        return None, 0
    probabilities, scores = _probabilities(values)
    if probabilities is None:
        return None, 0
    return _measure(probabilities, scores), probabilities.shape[1]


def _probabilities(values: NDArray[Any]) -> tuple[NDArray[Any] | None, bool]:
    inside = bool((values > -1e-6).all() and (values < 1 + 1e-6).all())
    if values.shape[1] == 1:
        positive = np.clip(values, 0, 1)
        return (np.hstack([1 - positive, positive]) if inside else None), False
    if inside and np.allclose(values.sum(1), 1, atol=1e-2):
        return np.clip(values, 0, 1), False
    if values.shape[1] == 2:
        return None, True  # two raw numbers may as well be coordinates
    exponent = np.exp(values - values.max(1, keepdims=True))
    return exponent / exponent.sum(1, keepdims=True), True


def _measure(probabilities: NDArray[Any], scores: bool) -> Response:
    count, classes = probabilities.shape
    mean = probabilities.mean(0)
    information = (_entropy(mean) - _entropy(probabilities).mean()) / np.log(classes)
    predicted = np.bincount(probabilities.argmax(1), minlength=classes) / count
    second = np.sort(probabilities, axis=1)[:, -2]
    return Response(
        information=float(information),
        spread=float(np.exp(_entropy(predicted))),
        sensitivity=float(np.log(np.maximum(probabilities, 1e-30)).std(0).mean()),
        runner_up=float(np.median(np.log10(np.maximum(second, 1e-45)))),
        scores=scores,
    )


def _entropy(probabilities: NDArray[Any]) -> NDArray[Any]:
    logs = np.log(np.maximum(probabilities, 1e-30))
    return np.asarray(-(probabilities * logs).sum(-1))


def conventions(
    low: float, high: float, whole: bool, channels: int, affine: tuple[float, float] | None
) -> tuple[Preprocess, ...]:
    """The usual conventions for data of such a range, the commonest first.

    Args:
        low: Least raw value.
        high: Largest raw value.
        whole: Whether all values are whole numbers.
        channels: Of the model's input; ImageNet's constants fit 3, their means fit 1.
        affine: (scale, zero_point) stored beside the data, or None.
    """
    found: list[Preprocess] = []
    if affine is not None:
        scale, zero_point = affine
        found.append(Preprocess(scale=scale, offset=round(-scale * zero_point, 6)))
    raw, unit, symmetric = NAMED["raw"], NAMED["unit"], NAMED["symmetric"]
    if is_bytes(low, high, whole):
        found += [unit, symmetric, raw]
        found += [NAMED["imagenet"]] if channels == 3 else []
        found += [replace(unit, mean=(0.449,), std=(0.226,))] if channels == 1 else []
    elif whole and low >= -128 and high <= 127:
        found += [Preprocess(scale=1 / 128), Preprocess(scale=1 / 255, offset=round(128 / 255, 6))]
        found += [Preprocess(offset=128.0), raw]
    elif low >= 0 and high <= 1:
        found += [raw, Preprocess(scale=2.0, offset=-1.0), Preprocess(scale=255.0)]
        found += [replace(NAMED["imagenet"], scale=1.0)] if channels == 3 else []
    elif low >= -1 and high <= 1:
        found += [raw, Preprocess(scale=0.5, offset=0.5), Preprocess(scale=127.5, offset=127.5)]
    else:
        found += [raw]
    return tuple(found)


def is_bytes(low: float, high: float, whole: bool) -> bool:
    """Whether values look like pictures of 0..255: whole, from near 0 to beyond 16."""
    return whole and low >= 0 and 16 < high <= 255
