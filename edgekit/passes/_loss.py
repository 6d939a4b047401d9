"""What a model in the making loses on the guard rows, in points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted, lift
from edgekit.training.labels import fit
from edgekit.training.rows import Rows

Array = NDArray[Any]
_BATCH = 64
_TINY = 1e-12


def lost(original: bytes, made: bytes, rows: Rows) -> float:
    """Points that are lost: percent of the rows; of values, percent of their variance.

    With labels the accuracy of the one less that of the other. Without, percent of the decisions
    that are others; of values, the square error over the variance of the original's.

    Args:
        original: A float flatbuffer.
        made: Of the same inputs and outputs.
        rows: To be judged on.
    """
    theirs, ours = (lift(data, form="folded") for data in (original, made))
    before, after = (_scores(each, rows) for each in (theirs, ours))
    if rows.labels is None:
        pairs = zip(theirs.heads, before, after, strict=True)
        return max(_changed(head, one, other) for head, one, other in pairs)
    shapes = [tuple(each.shape[1:]) for each in theirs.model.outputs]
    task, labels = fit(rows.labels, shapes, [tuple(e.shape[1:]) for e in theirs.model.inputs])
    one, other = before[task.output], after[task.output]
    if task.classes:
        wanted = labels.reshape(one.shape[:-1])
        right = [100 * float((each.argmax(axis=-1) == wanted).mean()) for each in (one, other)]
        return right[0] - right[1]
    outputs = [np.asarray(_answers(each, rows)[task.output]) for each in (theirs, ours)]
    spread = max(float(labels.var()), _TINY)
    errors = [float(((each - labels) ** 2).mean()) / spread for each in outputs]
    return 100 * (errors[1] - errors[0])


def _changed(head: str, one: Array, other: Array) -> float:
    if head == "softmax":
        return 100 * float((one.argmax(axis=-1) != other.argmax(axis=-1)).mean())
    if head == "sigmoid":
        return 100 * float(((one > 0) != (other > 0)).mean())
    return 100 * float(((one - other) ** 2).mean() / max(float(one.var(axis=0).mean()), _TINY))


def _scores(lifted: Lifted, rows: Rows) -> list[Array]:
    return _run(lifted.scores, rows)


def _answers(lifted: Lifted, rows: Rows) -> list[Array]:
    return _run(lifted.model, rows)


def _run(network: Any, rows: Rows) -> list[Array]:
    tf = _tf.tensorflow()
    parts = []
    for at in range(0, len(rows), _BATCH):
        positions = np.arange(at, min(at + _BATCH, len(rows)))
        batch = [tf.constant(array) for array in rows.batch(positions)]
        parts.append([np.asarray(y) for y in tf.nest.flatten(network(batch, training=False))])
    return [np.concatenate(each) for each in zip(*parts, strict=True)]
