"""Which weights of layers can go: those that the model's answers miss least.

Of a layer y = x W the second moments H = E[x x'] tell what a weight is worth: without it, the best
that the other weights of its output channel can do leaves an error of w^2 / (H^-1)_ww (Hassibi and
Stork 1992; LeCun et al. 1989). Times what the answers feel of that channel, the errors of all
layers are of one kind, and the cheapest weights go wherever they are, as in LLM Surgeon (van der
Ouderaa et al. 2023, arXiv:2312.17244). They go in a few rounds, each with the inverses of what is
left (one by one in Optimal Brain Compression, Frantar and Alistarh 2022, arXiv:2208.11580).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.passes._allocate import gone, shares_of_left

Array = NDArray[Any]
_ROUNDS = 8
_WORK = 4e11  # multiplications of inverses in all rounds: more take minutes
_DAMPING = 0.01
"""Share of the mean of H's diagonal that is added to it: what the rows do not tell is left to the
weights as they were. Of 1e-3 and 1e-2 the better on ResNet8 (KL 0.17 and 0.13 at 70 % zeros)."""
_LEAST_FELT = 0.01
"""Of the mean over channels: that few rows did not feel a channel does not mean that none does."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """The weights of a layer, the biases being the last row.

    Attributes:
        goal: As they were, [inputs + 1, outputs].
        moments: E[x x'] of its inputs, damped.
        felt: By the answers of the model, of each output, [outputs].
        kept: Whether a weight is not zero, [inputs + 1, outputs]; the last row never counts.
        price: What a weight of it costs.
    """

    goal: Array
    moments: Array
    felt: Array
    kept: Array
    price: float = 1.0


def choose(matrices: Sequence[Matrix], share: float) -> Iterator[list[Array]]:
    """What is kept of each matrix after each round; in the end a share of all prices is gone.

    Weights that are zero already stay so.
    """
    kept = [each.kept.copy() for each in matrices]
    prices = [each.price for each in matrices]
    spent, whole = (
        sum(price * count for price, count in zip(prices, counts, strict=True))
        for counts in (
            [int((~each[:-1]).sum()) for each in kept],
            [each[:-1].size for each in kept],
        )
    )
    begin = spent / whole
    rounds = _rounds(matrices)
    for number in range(1, rounds + 1):
        worth = [_worth(each, now) / each.price for each, now in zip(matrices, kept, strict=True)]
        part = 1 - (1 - begin) * ((1 - share) / (1 - begin)) ** (number / rounds)
        for now, went in zip(kept, gone(worth, prices, part), strict=True):
            now[:-1] &= ~went.reshape(now[:-1].shape)
        yield kept


def _rounds(matrices: Sequence[Matrix]) -> int:
    """The first round is cheap: all outputs that keep everything share one inverse."""
    work = sum(each.goal.shape[1] * float(each.goal.shape[0]) ** 3 for each in matrices)
    return max(min(_ROUNDS, 1 + int(_WORK / work)), 1)


def _worth(matrix: Matrix, kept: Array) -> Array:
    """What each weight is worth to the model, flat: 0 where there is none.

    What the answers lose by it is a parabola, which trusts itself too far: it would empty layers.
    Its geometric mean with what the layer loses, of what it has left (as LAMP has it, see
    `_allocate`), is as good where few weights go, and better where most do.
    """
    lost = _lost(matrix, kept)[:-1].ravel()
    worth = np.sqrt(lost * shares_of_left(lost))
    worth[lost.argmax()] = np.inf  # a layer without weights lets nothing through
    return np.asarray(worth)


def _lost(matrix: Matrix, kept: Array) -> Array:
    """What the answers lose by each weight, [inputs + 1, outputs]; 0 where there is none."""
    felt = matrix.felt + _LEAST_FELT * matrix.felt.mean() + np.finfo(np.float32).tiny
    lost = np.zeros(matrix.goal.shape)
    for outputs, rows in columns(kept):
        inverse = np.linalg.inv(matrix.moments[np.ix_(rows, rows)])
        best = inverse @ (matrix.moments[rows] @ matrix.goal[:, outputs])
        lost[np.ix_(rows, outputs)] = best**2 / np.diag(inverse)[:, None] * felt[outputs]
    return lost


def damped(moments: Array) -> Array:
    """The moments, with a little of their mean on the diagonal."""
    added = np.full(len(moments), _DAMPING * np.diag(moments)[:-1].mean())
    added[-1] = 0  # the bias is known from the rows
    return np.asarray(moments + np.diag(added + np.finfo(np.float32).tiny))


def least_squares(moments: Array, wanted: Array, kept: Array) -> Array:
    """The matrix that is zero where it is not `kept`: moments x matrix = wanted elsewhere."""
    matrix = np.zeros(wanted.shape)
    for outputs, rows in columns(kept):
        place = np.ix_(rows, outputs)
        matrix[place] = np.linalg.solve(moments[np.ix_(rows, rows)], wanted[place])
    return matrix


def columns(kept: Array) -> Iterator[tuple[Array, Array]]:
    """Outputs that keep the same weights, and which these are."""
    patterns, number = np.unique(kept, axis=1, return_inverse=True)
    for index, pattern in enumerate(patterns.T):
        yield np.flatnonzero(number.ravel() == index), np.flatnonzero(pattern)
