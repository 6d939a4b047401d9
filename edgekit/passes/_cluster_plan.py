"""Which layers are clustered, and how."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import LiftedLayer
from edgekit.errors import ModelError, UsageError
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._chosen import choose_layers, note, notes, sort_out
from edgekit.passes._cluster_options import FEWEST_WITH_ZEROS, ClusterOptions
from edgekit.passes._keep import sparse
from edgekit.passes.base import Candidate
from edgekit.problem import Problem

CLUSTERABLE = ("Conv2D", "Conv2DTranspose", "Conv3D", "Dense")
_SPARSE = 0.1  # share of zeros from which `auto` keeps them


def plan(
    candidate: Candidate, layers: Sequence[LiftedLayer], options: ClusterOptions
) -> tuple[dict[str, ClusterOptions], list[Problem]]:
    """Layer name -> its own options, for those that are clustered, and notes about the others.

    Args:
        candidate: The model, and what was promised of it.
        layers: All that there are, unwrapped.
        options: Of the pass.

    Returns:
        Options with `preserve_sparsity` on or off, and `per_channel` only where it can be.

    Raises:
        ModelError: No layer can be clustered.
        UsageError: The user named a layer that cannot be, or gives up zeros that were promised.
    """
    wanted = choose_layers(layers, options)
    found, unfit, fit = sort_out(layers, options, wanted, _unfit)
    if not fit:
        first = found[0]
        raise ModelError(
            f"there is nothing to cluster: {first.name} ({first.kind}) {unfit[first.name]}",
            "leave cluster out, or choose other layers or fewer clusters",
        )
    problems = notes("cluster", found, unfit)
    whole = [
        each
        for each in fit
        if wanted[each.name].per_channel and not _by_channel(each, wanted[each.name])
    ]
    problems += note(
        whole,
        "cluster gives {} one set of values each: that takes a Conv2D with more weights a channel "
        "than clusters",
        "nothing needs doing: it is the tighter promise",
    )
    return {each.name: _decided(candidate, each, wanted[each.name]) for each in fit}, problems


def _decided(candidate: Candidate, layer: LiftedLayer, own: ClusterOptions) -> ClusterOptions:
    """`auto` settled, and `per_channel` where it can be."""
    kernel = wrapped.kernel_of(layer)
    keeps = own.preserve_sparsity == "on"
    if own.preserve_sparsity == "auto":
        keeps = sparse(candidate, layer) or float((kernel == 0).mean()) >= _SPARSE
    elif sparse(candidate, layer) and not keeps:
        raise UsageError(
            f"preserve_sparsity = off would undo the zeros that were promised of {layer.name}",
            "leave preserve_sparsity out, or prune out",
        )
    if keeps and own.clusters < FEWEST_WITH_ZEROS:
        raise UsageError(
            f"clusters = {own.clusters} is too few for {layer.name}, whose zeros are one of them",
            f"give {FEWEST_WITH_ZEROS} or more",
        )
    channels = own.per_channel and _by_channel(layer, own)
    return dataclasses.replace(
        own, preserve_sparsity="on" if keeps else "off", per_channel=channels
    )


def _by_channel(layer: LiftedLayer, own: ClusterOptions) -> bool:
    """Whether each channel can have values of its own: TFMOT wants more weights than clusters."""
    channels = np.moveaxis(wrapped.kernel_of(layer), -1, 0)
    return layer.kind == "Conv2D" and all(_apart(channel) > own.clusters for channel in channels)


def _unfit(layer: LiftedLayer, own: ClusterOptions) -> str:
    """Why a layer cannot be clustered, empty where it can."""
    if layer.kind not in CLUSTERABLE:
        return f"cannot be clustered: TFMOT clusters no {layer.kind} kernels"
    weights = _apart(wrapped.kernel_of(layer))
    if weights <= own.clusters:
        return f"cannot be clustered: {weights} weights for {own.clusters} clusters are too few"
    return ""


def _apart(weights: NDArray[Any]) -> int:
    """How many weights there are, all zeros counted as one."""
    used = np.count_nonzero(weights)
    return int(used) + (used < weights.size)
