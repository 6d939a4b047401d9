"""How one share of zeros for the whole model is parted among its layers.

The same share in every layer starves small layers, which are first and narrow, and spares large
ones. Each way below ranks the weights of all layers, and takes the lowest until the share is
reached; what a weight costs is 1, or its multiply-accumulates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Costs = Mapping[str, float]
"""Layer name -> what one of its weights costs; 1 for a layer that is not named."""
_TINY = 1e-12


def lamp(
    kernels: Mapping[str, Array], share: float, costs: Costs | None = None
) -> dict[str, float]:
    """Layer name -> its share of zeros, by LAMP.

    A weight is scored by its share in what its layer would have left, w^2 / (sum of v^2 over all
    |v| >= |w|), and the lowest scores of the model go. Inside a layer that is the order of
    magnitudes, so that the allocation is all there is to know. Source: Lee et al. 2021,
    arXiv:2010.07611.

    Args:
        kernels: By layer name, as they are used: with the scale in them.
        share: Of the cost of all weights together that goes.
        costs: Of a weight; the score is of what it costs.
    """
    prices = [(costs or {}).get(name, 1.0) for name in kernels]
    scores = [
        shares_of_left(np.square(kernel)) / max(price, _TINY)
        for kernel, price in zip(kernels.values(), prices, strict=True)
    ]
    return _shares(kernels, gone(scores, prices, share))


def sigmas(
    kernels: Mapping[str, Array], share: float, costs: Costs | None = None
) -> dict[str, float]:
    """The same, by one number times the standard deviation of each layer as its threshold.

    Source: Han et al. 2015, arXiv:1506.02626, section 3.
    """
    prices = [(costs or {}).get(name, 1.0) for name in kernels]
    scores = [
        np.abs(kernel).ravel() / max(float(kernel.std()), _TINY) for kernel in kernels.values()
    ]
    return _shares(kernels, gone(scores, prices, share))


def gone(scores: Sequence[Array], prices: Sequence[float], share: float) -> list[Array]:
    """Which weights go, for each layer: the lowest scores, until a share of all costs is reached.

    The highest of each layer stays: a layer without weights lets nothing through.

    Args:
        scores: Of each layer's weights, flat.
        prices: Of a weight of each layer.
        share: Of the prices of all weights.
    """
    every = np.concatenate([score.astype(np.float64) for score in scores])
    price = np.repeat(np.asarray(prices, np.float64), [score.size for score in scores])
    ends = np.cumsum([score.size for score in scores])
    for begin, score in zip(ends - [score.size for score in scores], scores, strict=True):
        every[begin + int(np.argmax(score))] = np.inf
    order = np.argsort(every, kind="stable")
    spent = np.cumsum(price[order])
    went = np.zeros(every.size, bool)
    went[order[spent <= share * spent[-1] + price[order] / 2]] = True
    went &= np.isfinite(every)
    return list(np.split(went, ends[:-1]))


def _shares(kernels: Mapping[str, Array], parts: Sequence[Array]) -> dict[str, float]:
    return {name: float(part.mean()) for name, part in zip(kernels, parts, strict=True)}


def shares_of_left(squares: Array) -> Array:
    """Of each value its share in the sum of those that are as large or larger, in (0, 1]."""
    flat = np.asarray(squares, np.float64).ravel()
    order = np.argsort(flat, kind="stable")
    left = np.cumsum(flat[order][::-1])[::-1]
    shares = np.empty_like(flat)
    shares[order] = flat[order] / np.maximum(left, np.finfo(np.float64).tiny)
    return np.asarray(shares)
