"""A kernel as a depthwise one and one of 1 x 1.

Of each input channel the kernel is a matrix [window, outputs]: a depthwise kernel that makes m
channels of it, and a 1 x 1 kernel behind it, give a matrix of rank m, for which the singular value
decomposition is the best (Guo et al. 2018, network decoupling, arXiv:1808.05517). Channels that go
together make up for each other: from there on both kernels are solved for in turn, each exactly,
by least squares over all channels at once, weighed as in `_factors`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.passes._factors import Factors, Kernel

Array = NDArray[Any]
_ROUNDS = 8
_LARGEST = 2304  # weights of the depthwise kernel that are solved for: more cost minutes
_SOLVING = 1e-9


def separated(kernel: Kernel, multiplier: int) -> Factors:
    """The two kernels, the first as a dense one: zero but where a channel sees its own input.

    The first gives channels of unit variance, which an integer format with one scale for all of
    them holds best.

    Args:
        kernel: [height, width, inputs, outputs] and what its errors weigh.
        multiplier: Channels that are made of each input.
    """
    inputs = kernel.values.shape[2]
    own = _decomposed(kernel, multiplier)
    second = _second(kernel, _dense(own))
    for _ in range(_ROUNDS if own.size <= _LARGEST else 0):
        own = _scaled(kernel, _first(kernel, own, second))
        second = _second(kernel, _dense(own))
    first = _dense(own)
    window = kernel.window
    return Factors(
        first.reshape(*window, inputs, inputs * multiplier),
        second.reshape(1, 1, inputs * multiplier, -1),
        first @ second,
    )


def _decomposed(kernel: Kernel, multiplier: int) -> Array:
    """[places, inputs, multiplier]: what the first does to each channel, for itself the best."""
    places, inputs = int(np.prod(kernel.window)), kernel.values.shape[2]
    matrix = kernel.matrix.reshape(places, inputs, -1) * np.sqrt(kernel.felt)
    moments = kernel.moments.reshape(places, inputs, places, inputs)
    own = np.zeros((places, inputs, multiplier))
    for channel in range(inputs):
        lower = np.linalg.cholesky(moments[:, channel, :, channel])
        left, *_ = np.linalg.svd(lower.T @ matrix[:, channel], full_matrices=False)
        own[:, channel, : left.shape[1]] = np.linalg.solve(lower.T, left[:, :multiplier])
    return own


def _dense(own: Array) -> Array:
    """[patch, inputs * multiplier] of [places, inputs, multiplier]."""
    places, inputs, multiplier = own.shape
    dense = np.einsum("pim,ij->pijm", own, np.eye(inputs))
    return np.asarray(dense.reshape(places * inputs, inputs * multiplier))


def _second(kernel: Kernel, first: Array) -> Array:
    """The 1 x 1 kernel [inputs * multiplier, outputs] that does best behind the first."""
    moved = kernel.moments @ first
    return np.asarray(np.linalg.solve(_damped(first.T @ moved), moved.T @ kernel.matrix))


def _first(kernel: Kernel, own: Array, second: Array) -> Array:
    """The depthwise kernel that does best in front of the second.

    Its error is a parabola: the moments times, weight by weight, what the second makes of two
    channels. It is solved for the step from `own`, so that damping keeps what it is.
    """
    places, inputs, multiplier = own.shape
    felt = (second * kernel.felt) @ second.T
    made = np.arange(inputs * multiplier)
    channels = np.tile(made, places)
    patch = np.repeat(np.arange(places), len(made)) * inputs + channels // multiplier
    curved = kernel.moments[np.ix_(patch, patch)] * felt[np.ix_(channels, channels)]
    wrong = kernel.moments @ (kernel.matrix - _dense(own) @ second)
    slope = np.einsum("ro,ro->r", wrong[patch] * kernel.felt, second[channels])
    step = np.linalg.solve(_damped(curved), slope)
    return np.asarray(own + step.reshape(own.shape))


def _scaled(kernel: Kernel, own: Array) -> Array:
    """Channels of unit variance."""
    first = _dense(own)
    variance = np.einsum("pr,pr->r", first, kernel.moments @ first)
    scale = np.sqrt(np.where(variance > 0, variance, 1.0))
    return np.asarray(own / scale.reshape(own.shape[1:]))


def _damped(matrix: Array) -> Array:
    mean = float(np.trace(matrix)) / len(matrix)
    return np.asarray(matrix + _SOLVING * (mean or 1.0) * np.eye(len(matrix)))
