"""Pruning by least squares: the weights that go are those that layers miss least, and what stays
makes up for them, before anything is trained.

Of a layer y = x W the second moments H = E[x x'] tell what a weight is worth: without it, the best
that the other weights of its output channel can do leaves an error of w^2 / (H^-1)_ww (Hassibi and
Stork 1992; LeCun et al. 1989). Weights go in a few rounds, each with the inverses of what is left,
as in Optimal Brain Compression (Frantar and Alistarh 2022, arXiv:2208.11580), which takes them one
by one. Then, from the first layer to the last, the weights that stay are solved for the original's
outputs on the inputs that the layer really gets: those of layers that were pruned before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.bridge.lower import lower
from edgekit.bridge.makers import thinned
from edgekit.bridge.weights import rows as row_of
from edgekit.graph.read import read
from edgekit.passes import _masks
from edgekit.progress import Progress
from edgekit.training.rows import Rows

Array = NDArray[Any]
ROWS = 768
"""Rows that the moments are taken on, at most."""
_BATCH = 64
_PATCHES = 400_000  # inputs of a layer, each place of a convolution one, from which on rows suffice
_ROUNDS = 4
_DAMPING = 0.01
"""Share of the mean of H's diagonal that is added to it: what the rows do not tell is left to the
weights as they were. Of 1e-3 and 1e-2 the better on ResNet8 (KL 0.17 and 0.13 at 70 % zeros)."""
_LARGEST = 4096  # inputs of a layer: more cost minutes
_WORK = 4e11  # multiplications of a layer's inverses from which on one round has to do


def fits(layer: LiftedLayer) -> bool:
    """Whether the layer can be solved: one matrix times patches of its input, and not too large."""
    if len(layer.ops) > 1 or layer.kind not in ("Conv2D", "Dense") or thinned(layer.op):
        return False
    grouped = layer.kind == "Conv2D" and layer.layer.groups > 1
    inputs = int(np.prod(layer.kernel_array().shape[:-1]))
    return not grouped and inputs <= _LARGEST


def solve(
    tflite: bytes,
    original: bytes,
    shares: Mapping[str, float],
    rows: Rows,
    progress: Progress,
) -> bytes:
    """The float flatbuffer with zeros, and with weights and biases that make up for them.

    Args:
        tflite: To be pruned; zeros that it has stay.
        original: The same graph as it was: its layers' outputs are what is aimed at.
        shares: Layer name -> share of zeros, of layers that `fits` is true of.
        rows: Inputs.
        progress: Gets a step, and how many layers are done.
    """
    progress.step(f"choosing zeros of {len(shares)} layer{'s' * (len(shares) > 1)}")
    student, teacher = lift(tflite, form="folded"), lift(original, form="folded")
    chosen = np.unique(np.linspace(0, len(rows) - 1, ROWS).astype(np.int64))
    known = {layer.name: layer for layer in teacher.layers}
    numbers = [index for index, layer in enumerate(student.layers) if layer.name in shares]
    for done, index in enumerate(numbers, start=1):
        layer = student.layers[index]
        moments = _moments(student, teacher, index, rows, chosen)
        goal = _matrix(known[layer.name])
        kept = np.vstack([_matrix(layer)[:-1] != 0, np.full((1, goal.shape[1]), layer.bias >= 0)])
        solved = _solved(moments, goal, kept, shares[layer.name])
        kernel = solved[:-1].reshape(layer.layer.kernel.shape)
        layer.layer.kernel.assign(kernel)
        if layer.layer.bias is not None:
            layer.layer.bias.assign(solved[-1])
        progress.advance(done, len(numbers))
    return lower(student)


@dataclass(frozen=True, eq=False)
class _Moments:
    """Of the inputs x of a layer and those t of the original's, with a 1 behind for the bias.

    Attributes:
        mine: E[x x'], [inputs + 1, inputs + 1].
        cross: E[x t'].
        theirs: E[t t'].
    """

    mine: Array
    cross: Array
    theirs: Array


def _moments(student: Lifted, teacher: Lifted, index: int, rows: Rows, chosen: Array) -> _Moments:
    tf = _tf.tensorflow()
    ours, original = (_inputs(lifted, index) for lifted in (student, teacher))
    sums, count = [np.zeros(1)] * 3, 0
    for start in range(0, len(chosen), _BATCH):
        batch = [tf.constant(a) for a in rows.batch(chosen[start : start + _BATCH])]
        x, t = ours(batch), original(batch)
        pairs = ((x, x), (x, t), (t, t))
        sums = [
            total + np.asarray(tf.matmul(a, b, transpose_a=True), np.float64)
            for total, (a, b) in zip(sums, pairs, strict=True)
        ]
        count += int(x.shape[0])
        if count >= _PATCHES:
            break
    return _Moments(*(total / count for total in sums))


def _inputs(lifted: Lifted, index: int) -> Callable[[list[Any]], Any]:
    """What gives a layer's inputs [places, inputs + 1] for a batch of the model's."""
    tf, layer = _tf.tensorflow(), lifted.layers[index]
    source = lifted.activations[layer.op.inputs[0]]
    network = _tf.tf_keras().Model(lifted.model.inputs, source)
    row = row_of(read(lifted.data), layer.op)

    def inputs(batch: list[Any]) -> Any:
        x = tf.reshape(network(batch, training=False), [-1, *row])
        if layer.kind == "Dense":
            flat = tf.reshape(x, [-1, layer.layer.kernel.shape[0]])
        else:
            of = layer.layer
            patches = tf.image.extract_patches(
                x,
                [1, *of.kernel_size, 1],
                [1, *of.strides, 1],
                [1, *of.dilation_rate, 1],
                of.padding.upper(),
            )
            flat = tf.reshape(patches, [-1, patches.shape[-1]])
        return tf.concat([flat, tf.ones_like(flat[:, :1])], axis=1)

    return inputs


def _matrix(layer: LiftedLayer) -> Array:
    """The kernel [inputs, outputs] with the bias as its last row."""
    kernel = layer.kernel_array()
    flat = kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)
    bias = layer.bias_array()
    return np.vstack([flat, np.zeros(flat.shape[1]) if bias is None else bias])


def _solved(moments: _Moments, goal: Array, kept: Array, share: float) -> Array:
    """The matrix with a share of zeros in all its rows but the last, and where it has none."""
    damped = _damped(moments.theirs)
    matrix = _least_squares(damped, damped @ goal, kept)
    for left in _rounds(float((~kept[:-1]).mean()), share, goal.shape):
        worth = np.zeros(goal.shape)
        for column, rows in _columns(kept):
            inverse = np.linalg.inv(damped[np.ix_(rows, rows)])
            worth[rows, column] = np.abs(matrix[rows, column]) / np.sqrt(np.diag(inverse))
        kept[:-1] &= _masks.mask(worth[:-1], left)
        matrix = _least_squares(damped, damped @ goal, kept)
    damped = _damped(moments.mine)
    wanted = moments.cross @ goal + (damped - moments.mine) @ goal
    return _least_squares(damped, wanted, kept)


def _rounds(begin: float, share: float, shape: tuple[int, ...]) -> Iterator[float]:
    """Shares of zeros, the last one `share`."""
    rounds = 1 if shape[1] * float(shape[0]) ** 3 > _WORK / _ROUNDS else _ROUNDS
    for number in range(1, rounds + 1):
        yield begin + (share - begin) * number / rounds


def _damped(moments: Array) -> Array:
    added = np.full(len(moments), _DAMPING * np.diag(moments)[:-1].mean())
    added[-1] = 0  # the bias is known from the rows
    return np.asarray(moments + np.diag(added + np.finfo(np.float32).tiny))


def _least_squares(moments: Array, wanted: Array, kept: Array) -> Array:
    """The matrix that is zero where it is not `kept`: moments x matrix = wanted elsewhere."""
    matrix = np.zeros(wanted.shape)
    for column, rows in _columns(kept):
        matrix[rows, column] = np.linalg.solve(moments[np.ix_(rows, rows)], wanted[rows, column])
    return matrix


def _columns(kept: Array) -> Iterator[tuple[int, Array]]:
    for column in range(kept.shape[1]):
        yield column, np.flatnonzero(kept[:, column])
