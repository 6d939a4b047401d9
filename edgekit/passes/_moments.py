"""Second moments of what layers are given: all that least squares needs to know of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted, LiftedLayer
from edgekit.bridge.weights import rows as row_of
from edgekit.graph.read import read
from edgekit.training.rows import Rows

Array = NDArray[Any]
Batch = list[Any]
Pair = Callable[[], tuple[Any, Any]]
ROWS = 768
"""Rows that moments are taken on, at most."""
BATCH = 32
_PLACES = 400_000  # where a layer is applied, from which on rows suffice: many in each, for Conv2D


def batches(rows: Rows) -> list[Array]:
    """Positions of at most 768 rows, evenly spread."""
    chosen = np.unique(np.linspace(0, len(rows) - 1, ROWS).astype(np.int64))
    return [chosen[start : start + BATCH] for start in range(0, len(chosen), BATCH)]


def tensors(rows: Rows, positions: Array) -> Batch:
    """The rows as a model takes them."""
    return [_tf.tensorflow().constant(array) for array in rows.batch(positions)]


def own(lifted: Lifted, layers: Sequence[LiftedLayer], rows: Rows) -> list[Array]:
    """E[x x'] [inputs + 1, inputs + 1] of the inputs x of each layer, with a 1 behind them.

    Args:
        lifted: In the folded form.
        layers: Of it, each one matrix times patches of its input.
        rows: Inputs of the model.
    """
    given = _given(lifted, layers)

    def pairs(batch: Batch) -> list[Pair]:
        return [partial(_twice, x) for x in given(batch)]

    return _means(rows, pairs)


def shared(student: LiftedLayer, ours: Lifted, theirs: Lifted, rows: Rows) -> tuple[Array, Array]:
    """E[x x'] and E[x t'], where the original's layer is given t in place of x.

    Args:
        student: A layer of `ours`.
        ours: In the folded form.
        theirs: The original: the same graph.
        rows: Inputs of the models.
    """
    x_of = _given(ours, [student])
    t_of = _given(theirs, [next(each for each in theirs.layers if each.name == student.name)])

    def pairs(batch: Batch) -> list[Pair]:
        (x,), (t,) = x_of(batch), t_of(batch)
        return [partial(_twice, x), lambda: (x(), t())]

    mine, cross = _means(rows, pairs)
    return mine, cross


def _twice(x: Callable[[], Any]) -> tuple[Any, Any]:
    value = x()
    return value, value


def _means(rows: Rows, pairs: Callable[[Batch], Sequence[Pair]]) -> list[Array]:
    """The mean of a b' over places, of each pair of [places, inputs] that a batch gives."""
    tf = _tf.tensorflow()
    sums: dict[int, Array] = {}
    counts: Counter[int] = Counter()
    for positions in batches(rows):
        for number, pair in enumerate(pairs(tensors(rows, positions))):
            if counts[number] < _PLACES:
                a, b = pair()
                product = np.asarray(tf.matmul(a, b, transpose_a=True), np.float64)
                sums[number] = sums.get(number, 0.0) + product
                counts[number] += int(a.shape[0])
        if min(counts.values()) >= _PLACES:
            break
    return [sums[number] / counts[number] for number in sums]


def _given(
    lifted: Lifted, layers: Sequence[LiftedLayer]
) -> Callable[[Batch], list[Callable[[], Any]]]:
    """For a batch, what makes the inputs [places, inputs + 1] of each layer: they are large."""
    sources = [lifted.activations[layer.op.inputs[0]] for layer in layers]
    network = _tf.tf_keras().Model(lifted.model.inputs, sources)
    shapes = [row_of(read(lifted.data), layer.op) for layer in layers]

    def given(batch: Batch) -> list[Callable[[], Any]]:
        found = _tf.tensorflow().nest.flatten(network(batch, training=False))
        each = zip(layers, found, shapes, strict=True)
        return [partial(_places, layer, values, shape) for layer, values, shape in each]

    return given


def _places(layer: LiftedLayer, values: Any, shape: tuple[int, ...]) -> Any:
    tf, of = _tf.tensorflow(), layer.layer
    x = tf.reshape(values, [-1, *shape])
    if layer.kind == "Dense":
        flat = tf.reshape(x, [-1, of.kernel.shape[0]])
    else:
        steps = ([1, *each, 1] for each in (of.kernel_size, of.strides, of.dilation_rate))
        patches = tf.image.extract_patches(x, *steps, of.padding.upper())
        flat = tf.reshape(patches, [-1, patches.shape[-1]])
    return tf.concat([flat, tf.ones_like(flat[:, :1])], axis=1)
