"""How one share of zeros for the whole model is parted among its layers.

The same share in every layer starves small layers, which are first and narrow, and spares large
ones. LAMP (Lee et al. 2021, arXiv:2010.07611) scores a weight by its share in what its layer would
have left, w^2 / (sum of v^2 over all |v| >= |w|), and cuts the lowest scores of the whole model.
Inside a layer that is the order of magnitudes, so that the allocation is all there is to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def lamp(kernels: Mapping[str, NDArray[Any]], sparsity: float) -> dict[str, float]:
    """Layer name -> its share of zeros, so that a share `sparsity` of all weights is zero.

    Args:
        kernels: By layer name, as they are used: with the scale in them.
        sparsity: Share of the weights of all layers together.
    """
    scores = {name: shares_of_left(np.square(kernel)) for name, kernel in kernels.items()}
    every = np.concatenate(list(scores.values()))
    cut = round(every.size * sparsity)
    # the largest of each layer scores 1, so that no layer is emptied before all have one left
    lowest = np.argsort(every, kind="stable")[:cut]
    gone = np.zeros(every.size, bool)
    gone[lowest] = True
    ends = np.cumsum([score.size for score in scores.values()])[:-1]
    return {
        name: float(part.mean()) for name, part in zip(scores, np.split(gone, ends), strict=True)
    }


def shares_of_left(squares: NDArray[Any]) -> NDArray[Any]:
    """Of each value its share in the sum of those that are as large or larger, in (0, 1]."""
    flat = np.asarray(squares, np.float64).ravel()
    order = np.argsort(flat, kind="stable")
    left = np.cumsum(flat[order][::-1])[::-1]
    shares = np.empty_like(flat)
    shares[order] = flat[order] / np.maximum(left, np.finfo(np.float64).tiny)
    return np.asarray(shares)
