"""What a layer's options make of its weights: which stay, how many are zero, what is promised."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from edgekit.bridge.lift import LiftedLayer
from edgekit.passes import _masks
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes.promises import Promise

Array = NDArray[Any]


def matrix(layer: LiftedLayer, values: Array) -> Array:
    """Values of the kernel's shape as [all inputs, outputs], as blocks are measured."""
    if layer.kind == "DepthwiseConv2D":
        return values.reshape(values.shape[0] * values.shape[1], -1)
    return values.reshape(-1, values.shape[-1])


def kept(layer: LiftedLayer, scores: Array, share: float, own: PruneOptions) -> Array:
    """Which weights stay when a share is zero, bool of the kernel's shape.

    Args:
        layer: Whose weights.
        scores: What stays is what has the largest magnitudes of these; of the kernel's shape.
        share: Of zeros, in place of the options' own.
        own: The layer's options: they say in what shapes zeros come.
    """
    if own.n_m:
        return _masks.n_m_mask(scores, *own.pattern)
    if own.blocks:
        flat = _masks.block_mask(matrix(layer, scores), share, own.block)
        return flat.reshape(scores.shape)
    return _masks.mask(scores, share)


def zeros(layer: LiftedLayer) -> float:
    """Share of zeros among the weights of a layer."""
    return float((wrapped.kernel_of(layer) == 0).mean())


def cut(layer: LiftedLayer, own: PruneOptions) -> float:
    """Make the zeros that are still missing; their share of the weights."""
    kernel = wrapped.kernel_of(layer)
    stays = kept(layer, kernel, own.target, own)
    layer.kernel_variable.assign(kernel * stays)
    return float(((kernel != 0) & ~stays).mean())


def promises(layer: LiftedLayer, own: PruneOptions) -> list[Promise]:
    """What is to stay true of the layer's zeros."""
    made = [Promise(layer.name, layer.kernel, "sparsity", zeros(layer))]
    if own.n_m:
        stay, of = own.pattern
        made.append(Promise(layer.name, layer.kernel, "n_m", stay / of, n=stay, m=of))
    elif own.blocks:
        share = _masks.zero_blocks(matrix(layer, wrapped.kernel_of(layer)), own.block)
        made.append(Promise(layer.name, layer.kernel, "block", share, block=own.block))
    return made
