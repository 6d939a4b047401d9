"""How much a model's answers feel a change of a layer's outputs: the diagonal of Fisher's matrix.

Of the distance to the original's answers that fine-tuning minimises, Fisher's matrix is the second
derivative where nothing is changed yet. It is the second moment of gradients for answers drawn
from the model itself, which takes no labels (Martens 2014, arXiv:1412.1193; of a layer with
matrix W the block E[x x'] (x) E[g g'], Martens and Grosse 2015, arXiv:1503.05671).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.heads import Head
from edgekit.bridge.lift import Lifted, LiftedLayer
from edgekit.passes._moments import ROWS, batches, tensors
from edgekit.training.rows import Rows

Array = NDArray[Any]
_MOST_DRAWS = 8
_TINY = 1e-12


def fisher(
    lifted: Lifted,
    layers: Sequence[LiftedLayer],
    rows: Rows,
    *,
    temperature: float,
    seed: int,
) -> dict[str, Array]:
    """Layer name -> [outputs]: the mean over rows of the squared gradients, summed over places.

    Layers that no gradient comes to are left out: what reads them cannot be differentiated.

    Args:
        lifted: In the folded form.
        layers: Of it, each called once.
        rows: Inputs.
        temperature: Divides the scores of classes before answers are drawn, as fine-tuning does.
        seed: Of the answers drawn.
    """
    tf, random = _tf.tensorflow(), np.random.default_rng(seed)
    outputs = [layer.layer.output for layer in layers]
    network = _tf.tf_keras().Model(lifted.model.inputs, [*outputs, *lifted.scores.outputs])
    sums: dict[str, Array] = {}
    draws = min(-(-ROWS // len(rows)), _MOST_DRAWS)
    for positions in batches(rows) * draws:
        with tf.GradientTape() as tape:
            found = network(tensors(rows, positions), training=False)
            inner, scores = found[: len(layers)], found[len(layers) :]
            likely = tf.constant(0.0)
            for head, z in zip(lifted.heads, scores, strict=True):
                if z.dtype.is_floating:
                    likely += tf.reduce_sum(z * _drawn(head, np.asarray(z), temperature, random))
        for layer, gradient in zip(layers, tape.gradient(likely, inner), strict=True):
            if gradient is not None:
                flat = tf.reshape(tf.square(gradient), [-1, gradient.shape[-1]])
                added = np.asarray(tf.reduce_sum(flat, axis=0), np.float64)
                sums[layer.name] = sums.get(layer.name, 0.0) + added
    count = draws * sum(map(len, batches(rows)))
    return {name: total / count for name, total in sums.items()}


def _drawn(head: Head, scores: Array, temperature: float, random: np.random.Generator) -> Array:
    """The gradient by the scores of the log-likelihood of answers drawn from them."""
    if head == "linear":
        level = float(np.sqrt(np.mean(np.square(scores))))
        spread = max(float(scores.std(axis=0).mean()), 1e-3 * level, _TINY)  # they may never change
        return np.asarray(random.standard_normal(scores.shape) / spread, np.float32)
    softened = scores.astype(np.float64) / temperature
    if head == "sigmoid":
        share = 1 / (1 + np.exp(-softened))
        return np.asarray((random.random(scores.shape) < share) - share, np.float32)
    share = np.exp(softened - softened.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    answers = (share.cumsum(axis=-1) < random.random((*scores.shape[:-1], 1))).sum(axis=-1)
    one_hot = np.eye(scores.shape[-1])[np.minimum(answers, scores.shape[-1] - 1)]
    return np.asarray(one_hot - share, np.float32)
