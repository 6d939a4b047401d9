"""Weights given values of a code book one input after the other, each making up for the error of
those before it: GPTQ (Frantar et al. 2022, arXiv:2210.17323), whose grid may be any code book.

The nearest value is the best for a weight, but not for the layer: inputs x go together, and what
the layer's outputs x W lose depends on H = E[x x'] (see `_surgeon`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.passes._surgeon import columns

Array = NDArray[Any]


def assign(wanted: Array, moments: Array, kept: Array, codes: Array) -> Array:
    """The matrix whose rows but the last have values of the code book; the last is free.

    Args:
        wanted: The best matrix without a code book, [inputs + 1, outputs]; the last row is biases.
        moments: E[x x'] of the inputs, damped, [inputs + 1, inputs + 1].
        kept: Which weights there are; the others are zero, [inputs + 1, outputs].
        codes: Ascending, [outputs, values]: of each output.
    """
    found = np.zeros(wanted.shape)
    for outputs, rows in columns(kept):
        inner = moments[np.ix_(rows, rows)]
        free = len(rows) - int(rows[-1] == len(wanted) - 1)  # before the bias
        order = np.argsort(-np.diag(inner)[:free], kind="stable")  # the loudest are served first
        order = np.concatenate([order, np.arange(free, len(rows))])
        place = np.ix_(rows[order], outputs)
        inverse = np.linalg.inv(inner[np.ix_(order, order)])
        found[place] = _in_order(wanted[place], inverse, codes[outputs], free)
    return found


def _in_order(wanted: Array, inverse: Array, codes: Array, free: int) -> Array:
    """The first `free` rows get values of the code book, and what is behind makes up for each."""
    upper, left = np.linalg.cholesky(inverse).T, wanted.copy()
    every = np.arange(left.shape[1])
    for row in range(free):
        distance = np.abs(codes - left[row][:, None])
        value = codes[every, distance.argmin(axis=1)]
        error = (left[row] - value) / upper[row, row]
        left[row + 1 :] -= upper[row, row + 1 :, None] * error
        left[row] = value
    return left
