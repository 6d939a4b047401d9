"""One operator's arguments while it is computed for a whole batch.

A flatbuffer computes one sample; its tensors have shapes of their own, in which the batch of 1 may
be any axis, merged with another, or gone. A lifted tensor holds one such tensor for each sample:
[batch, *shape]. Every operator runs on each sample by itself, so no axis has to be followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf

Shape = tuple[int, ...]


class CannotLift(Exception):
    """Why an operator has no counterpart that computes a batch; `lift` names it and its layer."""

    _keras_call_info_injected = True  # tf_keras would write the layer's arguments into the message

    def __init__(
        self,
        reason: str,
        hint: str = "leave the training passes out, or replace that layer in the source model",
    ) -> None:
        super().__init__(reason)
        self.hint = hint


def function(path: str) -> Any:
    """A function of TensorFlow by its path, such as `math.log`."""
    value = _tf.tensorflow()
    for name in path.split("."):
        value = getattr(value, name)
    return value


def compact(shape: Shape) -> Shape:
    """The shape of a sample as a layer sees it: a leading 1 was the flatbuffer's batch."""
    return shape[1:] if shape[:1] == (1,) else shape


@dataclass(frozen=True)
class Call:
    """An operator with the values of its inputs.

    Attributes:
        name: `ADD`, ...
        options: As `graph.Op.options`.
        values: One for each input: a tensor [batch, *shape], a constant [*shape] as an array, or
            None where the input is absent.
        shapes: Of the inputs in the flatbuffer.
        outputs: Shapes of the outputs in the flatbuffer.
        dtype: Of the first output.
    """

    name: str
    options: Mapping[str, Any]
    values: tuple[Any, ...]
    shapes: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    dtype: str

    @property
    def x(self) -> Any:
        """The first input, [batch, *shape]."""
        return self.full(0)

    def given(self, place: int) -> bool:
        """Whether there is such an input."""
        return place < len(self.values) and self.values[place] is not None

    def constant(self, place: int) -> NDArray[Any]:
        """An input that has to be known before the model runs.

        Raises:
            CannotLift: It is computed.
        """
        value = self.values[place]
        if not isinstance(value, np.ndarray):
            raise CannotLift("it computes its axes, sizes or positions from the input")
        return value

    def integers(self, place: int) -> list[int]:
        """A constant list of integers; of a scalar, a list of one."""
        return [int(number) for number in self.constant(place).reshape(-1)]

    def axes(self, place: int, of: int = 0) -> list[int]:
        """Constant axes of the input `of`, as axes of the tensor with the batch in front."""
        return [self.axis(number, of) for number in self.integers(place)]

    def axis(self, number: int, of: int = 0) -> int:
        """An axis of the input `of`, as one of the tensor with the batch in front."""
        return number % len(self.shapes[of]) + 1

    def full(self, place: int) -> Any:
        """An input as [batch, *shape]; a constant is repeated for each sample, if there is any."""
        value = self.values[place]
        if not isinstance(value, np.ndarray):
            return value
        tf = _tf.tensorflow()
        return tf.tile(tf.constant(value)[None], [self._batch(), *[1] * value.ndim])

    def aligned(self, *places: int) -> list[Any]:
        """Inputs made ready for broadcasting: tensors of one rank, constants as they are."""
        chosen = places or range(len(self.values))
        rank = max(len(self.shapes[place]) for place in chosen)
        return [self._aligned(place, rank) for place in chosen]

    def folded(self, place: int = 0) -> Any:
        """An input with its own first axis merged into the batch: [batch * shape[0], ...]."""
        return _tf.tensorflow().reshape(self.full(place), [-1, *self.shapes[place][1:]])

    def _aligned(self, place: int, rank: int) -> Any:
        value, shape = self.values[place], self.shapes[place]
        if isinstance(value, np.ndarray) or len(shape) == rank:
            return value
        return _tf.tensorflow().reshape(value, [-1, *[1] * (rank - len(shape)), *shape])

    def _batch(self) -> Any:
        known = next((value for value in self.values if _is_tensor(value)), None)
        return 1 if known is None else _tf.tensorflow().shape(known)[0]


def _is_tensor(value: Any) -> bool:
    return value is not None and not isinstance(value, np.ndarray)
