"""Which output labels are about, and in what form the loss wants them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError

Head = Literal["softmax", "sigmoid", "linear"]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Task:
    """What labels ask of a model.

    Attributes:
        output: Number of the output they are about.
        shape: Of that output, without the batch axis.
        classes: Count of classes where labels are class numbers, 0 where they are values.
    """

    output: int
    shape: Shape
    classes: int

    @property
    def placed(self) -> bool:
        """Whether labels belong to places in the row (pixels, time steps)."""
        return math.prod(self.shape[:-1]) > 1

    def targets(self, labels: Any) -> Any:
        """Labels [B, ...] as float32 [B, *shape]: class numbers become one-hot vectors."""
        from edgekit import _tf

        tf = _tf.tensorflow()
        values = tf.one_hot(labels, self.classes) if self.classes else tf.cast(labels, tf.float32)
        return tf.reshape(values, [-1, *self.shape])


def fit(
    labels: NDArray[Any],
    outputs: Sequence[Shape],
    inputs: Sequence[Shape] = (),
    like: Task | None = None,
) -> tuple[Task, NDArray[Any]]:
    """What `labels` mean to a model, and they as int32 class numbers or float32 values.

    Class numbers are for the first output with a score a class; values for the first output of
    their size. An output of an input's shape is a reconstruction and has no classes.

    Args:
        labels: [n, ...]: class numbers, one-hot vectors, or values.
        outputs: Shapes of the outputs without the batch axis.
        inputs: Shapes of the inputs without the batch axis.
        like: What labels of the same kind were found to mean.

    Raises:
        DataError: They fit no output; or a class number is out of range, and its row is named.
    """
    for task in (like,) if like else _tasks(outputs, inputs):
        found = _class_numbers(labels, task) if task.classes else _values(labels, task)
        if found is not None:
            return task, found
    shapes = " and ".join(str([1, *shape]) for shape in outputs)
    raise DataError(
        f"labels of shape {list(labels.shape[1:])} a row do not fit the output {shapes}",
        "give class numbers, or one value for each of the output; or leave the labels out",
    )


def check_head(task: Task, head: Head, labels: NDArray[Any]) -> None:
    """Refuse values that are no probabilities where the output gives probabilities.

    Raises:
        DataError: Names the first row.
    """
    if task.classes or head == "linear":
        return
    axes = tuple(range(1, labels.ndim))
    wrong = ((labels < 0) | (labels > 1)).any(axis=axes)
    if head == "softmax":
        wrong |= (abs(labels.sum(axis=-1) - 1) > 1e-3).any(axis=axes[:-1])
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"the labels of row {row} are {labels[row].ravel()[:4].tolist()}, and the output "
            "gives probabilities",
            "give class numbers, or probabilities from 0 to 1",
        )


def _tasks(outputs: Sequence[Shape], inputs: Sequence[Shape]) -> Iterator[Task]:
    for number, shape in enumerate(outputs):
        if shape and shape[-1] >= 2 and shape not in inputs:
            yield Task(number, shape, shape[-1])
    for number, shape in enumerate(outputs):
        yield Task(number, shape, 0)


def _values(labels: NDArray[Any], task: Task) -> NDArray[Any] | None:
    if labels.size != len(labels) * math.prod(task.shape):
        return None
    return labels.reshape(len(labels), *task.shape).astype(np.float32)


def _class_numbers(labels: NDArray[Any], task: Task) -> NDArray[Any] | None:
    if not np.array_equal(labels, np.round(labels)):
        return None
    places = _long(task.shape[:-1])
    if _long(labels.shape[1:]) == places:
        return _in_range(labels.reshape(len(labels), *places), task.classes)
    one_hot = labels.shape[1:] == (task.classes,) == _long(task.shape) and (
        ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
    )
    return labels.argmax(axis=1).astype(np.int32) if one_hot else None


def _long(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def _in_range(labels: NDArray[Any], classes: int) -> NDArray[Any]:
    wrong = np.argwhere((labels < 0) | (labels >= classes))
    if len(wrong):
        place = tuple(wrong[0])
        raise DataError(
            f"label {labels[place]:g} of row {place[0]} does not fit a model with {classes} "
            "classes",
            f"labels are class numbers from 0 to {classes - 1}",
        )
    return labels.astype(np.int32)
