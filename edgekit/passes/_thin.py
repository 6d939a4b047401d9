"""Thin layers in place of thick ones, from the first to the last of a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.passes._depthwise import separated
from edgekit.passes._factors import Factoring, Factors, Kernel, Split, damped
from edgekit.passes._masks import mask
from edgekit.passes._moments import shared
from edgekit.passes._splittable import Choice, Splittable
from edgekit.passes.base import Context
from edgekit.structure.split import Parts

Array = NDArray[Any]
_ROUNDS = 8
"""Times that the thin layers and what is beside them are found in turn."""


def centred(moments: Array, cross: Array | None = None) -> tuple[Array, Array, Array, Array]:
    """Covariances of x, of x with t, and the means of x and t; from moments with a 1 behind."""
    cross = moments if cross is None else cross
    mine, theirs = moments[-1, :-1], cross[-1, :-1]
    return (
        moments[:-1, :-1] - np.outer(mine, mine),
        cross[:-1, :-1] - np.outer(mine, theirs),
        mine,
        theirs,
    )


def thin(
    layers: Sequence[Splittable], chosen: Mapping[str, Choice], tflite: bytes, context: Context
) -> dict[int, Parts]:
    """By operator: its parts, each for what the layers in front of it, split already, really give.

    Source: Zhang et al. 2015 (asymmetric reconstruction), arXiv:1505.06798.
    """
    context.progress.step(f"splitting {len(layers)} layer{'s' * (len(layers) > 1)}")
    ours, theirs = (lift(tflite, form="folded") for _ in range(2))
    parts = {}
    for number, each in enumerate(layers, start=1):
        layer = next(one for one in ours.layers if one.name == each.layer.name)
        kernel, means = each.kernel, None
        if each.options.weighted:
            kernel, means = _made_up(each.kernel, layer, ours, theirs, context)
        found = _found(kernel, chosen[layer.name], each.options.sparse)
        found = _with_biases(found, each, means)
        parts[layer.op.index] = found
        layer.layer.kernel.assign(_product(found).reshape(layer.layer.kernel.shape))
        if layer.layer.bias is not None:
            layer.layer.bias.assign(found.bias + _through(found))
        context.progress.advance(number, len(layers))
    return parts


def _with_biases(parts: Parts, each: Splittable, means: tuple[Array, Array] | None) -> Parts:
    """The parts with biases that keep the means of the outputs.

    The first gives values around zero where the second has no border at which zeros stand for what
    lies outside.

    Args:
        parts: Of the layer, without biases.
        each: The layer.
        means: Of what it is given now, and of what it was given before; None: not known.
    """
    bias, first = each.layer.bias_array(), np.zeros(parts.first.shape[-1])
    bias = np.zeros(parts.second.shape[-1]) if bias is None else bias.astype(np.float64)
    if means is not None:
        now, before = means
        bias = bias + before @ each.kernel.matrix - now @ _product(parts)
        if parts.second.shape[:2] == (1, 1):
            first = -now @ parts.first.reshape(len(now), -1)
            bias = bias - first @ parts.second[0, 0]
    return dataclasses.replace(parts, bias=bias, first_bias=first)


def _through(parts: Parts) -> Array:
    """What the first bias adds to the outputs."""
    return np.asarray(parts.first_bias @ parts.second.sum(axis=(0, 1)))


def _made_up(
    kernel: Kernel, layer: LiftedLayer, ours: Lifted, theirs: Lifted, context: Context
) -> tuple[Kernel, tuple[Array, Array]]:
    """The kernel that does best with what the layer is given now, and the means of that and of
    what it was given before."""
    own_moments, cross_moments = shared(layer, ours, theirs, context.rows)
    covariance, cross, mine, before = centred(own_moments, cross_moments)
    moments = damped(covariance)
    wanted = cross @ kernel.matrix + (moments - covariance) @ kernel.matrix
    solved = np.linalg.solve(moments, wanted)
    return Kernel(solved.reshape(kernel.values.shape), moments, kernel.felt), (mine, before)


def _found(kernel: Kernel, choice: Choice, share: float) -> Parts:
    """The parts of a kernel; what lies beside is found in turn with the others."""
    assert choice.split is not None
    none = np.zeros(0)
    if not share:
        factors = _factors(kernel, choice.split, choice.rank)
        separate = choice.split == "depthwise"
        return Parts(factors.first, factors.second, none, none, depthwise=separate)
    beside = np.zeros_like(kernel.matrix)
    count = max(round(share * beside.size), 1)
    worth = np.sqrt(np.diag(kernel.moments)[:, None] * kernel.felt)
    for _ in range(_ROUNDS):
        rest = kernel.replaced(kernel.matrix - beside)
        factors = Factoring(rest, choice.split).at(choice.rank)
        left = kernel.matrix - factors.product
        kept = mask((np.abs(left) * worth).ravel(), 1 - count / left.size).reshape(left.shape)
        beside = np.where(kept, left, 0.0)
    return Parts(factors.first, factors.second, none, none, beside.reshape(kernel.values.shape))


def _factors(kernel: Kernel, split: Split, rank: int) -> Factors:
    if split == "depthwise":
        return separated(kernel, rank // kernel.values.shape[2])
    return Factoring(kernel, split).at(rank)


def _product(parts: Parts) -> Array:
    """[patch, outputs] of the one kernel that the parts stand for."""
    whole = np.einsum("hwir,abro->hawbio", parts.first, parts.second)
    height, rows, width, columns, inputs, outputs = whole.shape
    product = whole.reshape(height * rows * width * columns * inputs, outputs)
    return np.asarray(
        product if parts.beside is None else product + parts.beside.reshape(product.shape)
    )
