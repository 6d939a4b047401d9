"""Layers that read fewer channels, solved for what they gave before.

By least squares on the training rows, from the first layer to the last, each on the inputs that it
really gets: He et al. 2017 (Channel pruning), arXiv:1707.06168; Luo et al. 2017 (ThiNet),
arXiv:1707.06342. Two equal channels of which one leaves become one with the sum of their weights,
which is the surgery of Srinivas and Babu 2015, arXiv:1507.06149.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.bridge.lower import lower
from edgekit.bridge.weights import rows as row_of
from edgekit.graph.read import read
from edgekit.passes._solve import fits
from edgekit.passes.base import Context
from edgekit.structure.dependencies import Dependencies
from edgekit.structure.silence import silence
from edgekit.structure.units import Mask

Array = NDArray[Any]
_DAMPING = 1e-3
"""Share of the mean of the moments' diagonal that is added to it."""
_BATCH = 64


def refit(original: bytes, known: Dependencies, keep: Mask, context: Context) -> bytes:
    """The flatbuffer with the units silenced that leave, and with layers that make up for them.

    Args:
        original: The flatbuffer that `known` is about.
        known: Its units.
        keep: bool [units].
        context: Rows.
    """
    data = silence(original, known, keep)
    student, teacher = lift(data, form="folded"), lift(original, form="folded")
    columns = {site.op: site.units for site in known.made("columns")}
    for mine, theirs in zip(student.layers, teacher.layers, strict=True):
        if not fits(mine):
            continue
        read_here = columns.get(mine.op.index)
        width = mine.kernel_array().shape[-2]
        kept = keep[read_here] if read_here is not None else np.ones(width, bool)
        _solve(mine, theirs, student, teacher, kept, context)
    return lower(student)


def _solve(
    mine: LiftedLayer,
    theirs: LiftedLayer,
    student: Lifted,
    teacher: Lifted,
    kept: Mask,
    context: Context,
) -> None:
    """Give the layer the weights for its kept inputs that come closest to the original's."""
    goal = _matrix(theirs)
    own, cross = _moments(mine, theirs, student, teacher, context)
    used = np.append(np.tile(kept, (len(goal) - 1) // len(kept)), mine.bias >= 0)
    damping = np.diag(np.append(np.full(len(goal) - 1, _DAMPING * np.diag(own)[:-1].mean()), 0))
    damping += np.finfo(np.float32).tiny * np.eye(len(goal))
    wanted = (cross + damping) @ goal
    solved = np.zeros_like(goal)
    solved[used] = np.linalg.lstsq((own + damping)[np.ix_(used, used)], wanted[used], rcond=None)[0]
    mine.layer.kernel.assign(solved[:-1].reshape(mine.layer.kernel.shape))
    if mine.layer.bias is not None:
        mine.layer.bias.assign(solved[-1])


def _matrix(layer: LiftedLayer) -> Array:
    """The kernel [inputs, outputs] with the bias as its last row."""
    kernel, bias = layer.kernel_array(), layer.bias_array()
    flat = kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)
    return np.vstack([flat, np.zeros(flat.shape[1]) if bias is None else bias])


def _moments(
    mine: LiftedLayer, theirs: LiftedLayer, student: Lifted, teacher: Lifted, context: Context
) -> tuple[Array, Array]:
    """E[x x'] and E[x t'] of the layer's inputs x and the original's t, with a 1 for the bias."""
    tf = _tf.tensorflow()
    ours, original = _inputs(mine, student), _inputs(theirs, teacher)
    own = cross = np.zeros(1)
    chosen = context.rows.some()
    for start in range(0, len(chosen), _BATCH):
        batch = [tf.constant(a) for a in context.rows.batch(chosen[start : start + _BATCH])]
        x, t = ours(batch), original(batch)
        own = own + np.asarray(tf.matmul(x, x, transpose_a=True), np.float64) / len(chosen)
        cross = cross + np.asarray(tf.matmul(x, t, transpose_a=True), np.float64) / len(chosen)
    return own, cross


def _inputs(layer: LiftedLayer, lifted: Lifted) -> Callable[[list[Any]], Any]:
    """What gives a layer's inputs [places, inputs + 1] for a batch of the model's."""
    tf, of = _tf.tensorflow(), layer.layer
    network = _tf.tf_keras().Model(lifted.model.inputs, lifted.activations[layer.op.inputs[0]])
    row = row_of(read(lifted.data), layer.op)

    def inputs(batch: list[Any]) -> Any:
        x = tf.reshape(network(batch, training=False), [-1, *row])
        if layer.kind == "Dense":
            x = tf.reshape(x, [-1, of.kernel.shape[0]])
        else:
            sizes = ([1, *each, 1] for each in (of.kernel_size, of.strides, of.dilation_rate))
            x = tf.image.extract_patches(x, *sizes, of.padding.upper())
            x = tf.reshape(x, [-1, x.shape[-1]])
        return tf.concat([x, tf.ones_like(x[:, :1])], axis=1)

    return inputs
