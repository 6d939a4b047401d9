"""Layers that read fewer channels, solved for what they gave before.

By least squares on the training rows, from the first layer to the last, each on the inputs that it
really gets: He et al. 2017 (Channel pruning), arXiv:1707.06168; Luo et al. 2017 (ThiNet),
arXiv:1707.06342. Two equal channels of which one leaves become one with the sum of their weights,
which is the surgery of Srinivas and Babu 2015, arXiv:1507.06149.
"""

from __future__ import annotations

from collections.abc import Sequence
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
_PLACES = 32
"""Of a row's that a layer is solved on: neighbours are alike, and 512 rows have plenty."""
_BRIEF = 4
"""One row in so many is enough on the way, where channels are only to be judged."""


class Refit:
    """Solves networks that lack units for what the original gave.

    Args:
        original: The flatbuffer that `known` is about.
        known: Its units.
        context: Rows, seed.
    """

    def __init__(self, original: bytes, known: Dependencies, context: Context) -> None:
        self._original, self._known, self._context = original, known, context
        self._teacher = lift(original, form="folded")
        able = [layer for layer in self._teacher.layers if fits(layer)]
        self._able = {layer.op.index: layer for layer in able}
        self._wanted = self._sampled(self._teacher, able, 1)

    def __call__(self, keep: Mask, brief: bool = False) -> bytes:
        """The flatbuffer with the units silenced that leave, and with layers that make up for them.

        Args:
            keep: bool [units].
            brief: On fewer rows.
        """
        student = lift(silence(self._original, self._known, keep), form="folded")
        columns = {site.op: site.units for site in self._known.made("columns")}
        for layer in student.layers:
            number = layer.op.index
            if number not in self._able:
                continue
            width = layer.kernel_array().shape[-2]
            kept = keep[columns[number]] if number in columns else np.ones(width, bool)
            every = _BRIEF if brief else 1
            x = np.concatenate(self._sampled(student, [layer], every)[number])
            t = np.concatenate(self._wanted[number][::every])
            _solve(layer, self._able[number], x, t, kept)
        return lower(student)

    def _sampled(
        self, lifted: Lifted, layers: Sequence[LiftedLayer], every: int
    ) -> dict[int, list[Array]]:
        """What layers read at some places, [places, inputs + 1], in batches: the same for all."""
        tf, found = _tf.tensorflow(), {layer.op.index: list[Array]() for layer in layers}
        inner = [lifted.activations[layer.op.inputs[0]] for layer in layers]
        network = _tf.tf_keras().Model(lifted.model.inputs, inner)
        chosen, graph = self._context.rows.some(), read(lifted.data)
        for start in range(0, len(chosen), _BATCH * every):
            rows = self._context.rows.batch(chosen[start : start + _BATCH])
            given = network([tf.constant(array) for array in rows], training=False)
            for layer, value in zip(layers, tf.nest.flatten(given), strict=True):
                random = np.random.default_rng([self._context.seed, layer.op.index, start])
                x = _rows(layer, tf.reshape(value, [-1, *row_of(graph, layer.op)]))
                found[layer.op.index].append(_some(x, len(rows[0]), random))
        return found


def _solve(mine: LiftedLayer, theirs: LiftedLayer, x: Array, t: Array, kept: Mask) -> None:
    """Give the layer the weights for its kept inputs that come closest to the original's.

    Args:
        mine: The layer.
        theirs: That of the original.
        x: What it reads, [places, inputs + 1], with a 1 for the bias.
        t: What the original reads there.
        kept: Which of the channels it reads are left.
    """
    goal = _matrix(theirs)
    own, cross = (np.asarray(x.T @ each, np.float64) / len(x) for each in (x, t))
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


def _rows(layer: LiftedLayer, x: Any) -> Any:
    """What each output of a layer is made from, [places, inputs]."""
    tf, of = _tf.tensorflow(), layer.layer
    if layer.kind == "Dense":
        return tf.reshape(x, [-1, of.kernel.shape[0]])
    sizes = ([1, *each, 1] for each in (of.kernel_size, of.strides, of.dilation_rate))
    x = tf.image.extract_patches(x, *sizes, of.padding.upper())
    return tf.reshape(x, [-1, x.shape[-1]])


def _some(x: Any, rows: int, random: np.random.Generator) -> Array:
    """At most `_PLACES` places of each row, and a 1 behind."""
    places = x.shape[0] // rows
    few = random.permuted(np.tile(np.arange(places), (rows, 1)), axis=1)[:, :_PLACES]
    chosen = (few + places * np.arange(rows)[:, None]).ravel()
    taken = np.asarray(_tf.tensorflow().gather(x, chosen))
    return np.hstack([taken, np.ones((len(taken), 1), taken.dtype)])
