"""Thresholds at which a built network stops: the least expected cost for a bounded loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.call import compact
from edgekit.exits.exits import Exits, Heads, margin
from edgekit.graph import count
from edgekit.graph.graph import Graph, Tensor
from edgekit.graph.read import read
from edgekit.runtimes.base import Row, open_runtime, run_float
from edgekit.training.labels import fit

Array = NDArray[Any]
TRIED = 24
"""Thresholds of each exit."""
FOLDS = 10
"""Parts of the rows, of which each is judged with thresholds from the others."""


def scores(model: bytes, rows: Iterable[Row], runtime: str) -> list[Row]:
    """All outputs of each row, dequantised."""
    with open_runtime(runtime, model, isolated=True, workers=2) as opened:
        return list(run_float(opened, read(model), rows))


def classes_of(labels: Array, outputs: Row) -> Array:
    """Labels as class numbers, [n].

    Raises:
        DataError: They are no classes of these outputs.
    """
    _, found = fit(labels, [compact(out.shape) for out in outputs])
    return found.argmax(-1) if found.ndim > 1 else found


def tops(outputs: Sequence[Row]) -> Array:
    """The class that output 0 gives the best score, [n]."""
    return np.array([row[0].argmax() for row in outputs])


def choose(heads: Heads, built: bytes, outputs: Sequence[Row], classes: Array) -> Exits:
    """The thresholds of a built network.

    Of all combinations of thresholds those with the least expected multiply-accumulates whose
    answers are right at most so many points less often than the last one alone. The best of many
    combinations is partly luck, which other rows do not share: how much may be lost on these rows
    is chosen by cross-validation, so that rows that thresholds were not chosen on lose
    `heads.max_drop` points at most.

    Args:
        heads: What the pass left.
        built: The flatbuffer.
        outputs: Of the guard rows, as `scores` gives them.
        classes: That are right, [n].
    """
    graph = read(built)
    ends = _ends(graph)
    macs = _macs(graph, ends)
    right = np.array([[out.argmax() for out in row] for row in outputs]) == classes[:, None]
    sure = np.array([[margin(out) for out in row[1:]] for row in outputs])
    tensors = graph.output_tensors()[1:]
    tried = [_tried(column, tensor) for column, tensor in zip(sure.T, tensors, strict=True)]
    combinations, most = list(product(*tried)), heads.max_drop * len(sure) / 100
    stops = np.array([_stops(sure, least) for least in combinations])
    lost = right[:, 0].astype(np.int8) - right[np.arange(len(sure)), stops]
    cost = np.array([macs[-1], *macs[:-1]], np.float32)[stops]
    fold = np.arange(len(sure)) % FOLDS
    lost, cost = (
        np.stack([each[:, fold == number].sum(axis=1) for number in range(FOLDS)], axis=1)
        for each in (lost, cost)
    )
    best = _cheapest(lost.sum(axis=1), cost.sum(axis=1), _allowed(lost, cost, most))
    return Exits(heads.layers, combinations[best], macs, ends)


def _cheapest(lost: Array, cost: Array, most: float) -> int:
    """The combination that costs least of those that lose at most `most` rows.

    Args:
        lost: Rows that a combination loses, [combinations].
        cost: Multiply-accumulates, of the same shape.
        most: Rows.
    """
    return int(np.where(lost <= most, cost, np.inf).argmin())


def _allowed(lost: Array, cost: Array, most: float) -> float:
    """Rows that may be lost of all those to choose on, so that as many others lose at most `most`.

    Args:
        lost: Rows that a combination loses of each fold, [combinations, folds].
        cost: Multiply-accumulates, of the same shape.
        most: Rows.
    """
    folds = lost.shape[1]
    kept, spent = (each.sum(axis=1, keepdims=True) - each for each in (lost, cost))
    for allowed in np.linspace(most, 0, FOLDS + 1):
        share = allowed * (folds - 1) / folds
        held_out = [lost[_cheapest(kept[:, n], spent[:, n], share), n] for n in range(folds)]
        if sum(held_out) <= most:
            return float(allowed)
    return 0.0


def _ends(graph: Graph) -> tuple[int, ...]:
    """By exit: how many operators run until it has answered."""
    makers = {index: op.index for op in graph.ops for index in op.outputs}
    return tuple(makers[output] + 1 for output in graph.outputs[1:])


def _macs(graph: Graph, ends: Sequence[int]) -> tuple[int, ...]:
    done = np.cumsum([0, *count.layer_macs(graph)])
    return tuple(int(done[end]) for end in (*ends, len(graph.ops)))


def _tried(sure: Array, tensor: Tensor) -> list[float | None]:
    """Thresholds between what occurs, and none."""
    known = tensor.quantization
    step = float(known.scale[0]) if known is not None else 0.0
    found = np.unique(np.quantile(sure, np.linspace(0, 1, TRIED), method="higher"))
    # between two steps of the integers, so that rounding of floats decides nothing
    return [None, *(round(float(value) - (step / 2 or 1e-6), 9) for value in found)]


def _stops(sure: Array, least: Sequence[float | None]) -> Array:
    """The output that answers each row, [n]."""
    stops = np.zeros(len(sure), np.int64)
    for number, value in reversed(list(enumerate(least, start=1))):
        if value is not None:
            stops[sure[:, number - 1] >= value] = number
    return stops


def expected(exits: Exits, outputs: Sequence[Row], classes: Array) -> dict[str, Any]:
    """What the exits do on rows: as the manifest stores it.

    Args:
        exits: With thresholds.
        outputs: Of the rows.
        classes: That are right, [n].
    """
    stops = np.array([exits.stops(row) for row in outputs])
    right = np.array([[out.argmax() for out in row] for row in outputs]) == classes[:, None]
    shares = [float((stops == number).mean()) for number in (*range(1, len(exits.macs)), 0)]
    cost = float(np.dot(shares, exits.macs))
    return {
        "rows": len(outputs),
        "stopped": [round(share, 6) for share in shares],
        "expected_macs": round(cost),
        "share": round(cost / exits.macs[-1], 6),
        "right": round(100 * float(right[np.arange(len(stops)), stops].mean()), 6),
        "right_at": [
            round(100 * float(right[:, n].mean()), 6) for n in (*range(1, len(exits.macs)), 0)
        ],
    }
