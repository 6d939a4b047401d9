"""How much a model's answers suffer when one layer alone is pruned, without any training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.heads import Head
from edgekit.bridge.lift import lift
from edgekit.errors import ModelError
from edgekit.passes import _zeros
from edgekit.passes._moments import tensors
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes.base import Context

Array = NDArray[Any]
Curve = tuple[list[float], list[float]]
LEVELS = (0.2, 0.4, 0.55, 0.7, 0.8, 0.87, 0.93, 0.97)
"""Shares of zeros that are tried."""
_ROWS = 256
_BATCH = 64
_TINY = 1e-12


def curves(tflite: bytes, plans: Mapping[str, PruneOptions], context: Context) -> dict[str, Curve]:
    """Layer name -> shares of zeros, and the distance to the model's answers at each.

    The distance is the Kullback-Leibler divergence of decisions, or of values the square error over
    their variance; the mean over at most 256 rows, summed over outputs.

    Args:
        tflite: The float flatbuffer.
        plans: Layer name -> its own options: in what shapes its zeros come.
        context: Rows and progress.

    Raises:
        ModelError: The model gives NaN or infinity.
    """
    lifted = lift(tflite, form="folded")
    layers = [layer for layer in lifted.layers if layer.name in plans]
    rows = context.rows
    chosen = np.unique(np.linspace(0, len(rows) - 1, _ROWS).astype(np.int64))
    batches = [tensors(rows, chosen[at : at + _BATCH]) for at in range(0, len(chosen), _BATCH)]
    network = _tf.tensorflow().function(lambda batch: lifted.scores(batch, training=False))

    def answers() -> list[Array]:
        parts = [_tf.tensorflow().nest.flatten(network(batch)) for batch in batches]
        return [np.concatenate([np.asarray(p) for p in each]) for each in zip(*parts, strict=True)]

    context.progress.step(f"sensitivity of {len(layers)} layer{'s' * (len(layers) > 1)}")
    whole, found = answers(), {}
    if not all(np.isfinite(each).all() for each in whole):
        raise ModelError(
            "the model gives NaN or infinity, so that its layers cannot be judged",
            "check the model and its preprocessing",
        )
    for number, layer in enumerate(layers, start=1):
        kernel = np.asarray(layer.kernel_variable)
        losses = []
        for level in LEVELS:
            stays = _zeros.kept(layer, kernel, level, plans[layer.name])
            layer.kernel_variable.assign(kernel * stays)
            losses.append(_distance(lifted.heads, whole, answers()))
        layer.kernel_variable.assign(kernel)
        found[layer.name] = (list(LEVELS), losses)
        context.progress.advance(number, len(layers))
    return found


def _distance(heads: Sequence[Head], whole: Sequence[Array], pruned: Sequence[Array]) -> float:
    return sum(
        _of_output(head, one.astype(np.float64), other.astype(np.float64))
        for head, one, other in zip(heads, whole, pruned, strict=True)
    )


def _of_output(head: Head, one: Array, other: Array) -> float:
    if head == "linear":
        return float(((one - other) ** 2).mean() / max(float(one.var(axis=0).mean()), _TINY))
    if head == "sigmoid":  # of two classes
        one, other = (np.stack([each, np.zeros_like(each)], axis=-1) for each in (one, other))
    left, right = _log_shares(one), _log_shares(other)
    return float((np.exp(left) * (left - right)).sum(axis=-1).mean())


def _log_shares(scores: Array) -> Array:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
