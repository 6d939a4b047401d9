"""The tf_keras layers that stand for operators: any operator without weights, and Scale.

They are made on use, since importing them imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.call import Call, Shape, compact
from edgekit.bridge.ops import compute


def operator(name: str, call: Call, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of a new layer that computes an operator.

    Args:
        name: Of the layer.
        call: The operator; its `values` are constants, None, or tensors.
        inputs: Those tensors, in their order.

    Raises:
        CannotLift: As `ops.compute`.
    """
    known = tuple(isinstance(value, np.ndarray) or value is None for value in call.values)
    constants = tuple(v if k else None for v, k in zip(call.values, known, strict=True))
    places = tuple(place for place, constant in enumerate(known) if not constant)
    layer = _operator()(replace(call, values=constants), places, name=name)
    results = layer(inputs[0] if len(inputs) == 1 else list(inputs))
    return list(results) if isinstance(results, list | tuple) else [results]


def apply(name: str, kind: str, x: Any, row: Shape, *constants: Any) -> Any:
    """The output, rows of shape `row`, of an operator whose inputs but the first are constant.

    `RESHAPE` shares out the values to as many rows of this shape as there are.
    """
    arrays = [np.asarray(constant) for constant in constants]
    shapes = ((1, *x.shape[1:]), *(array.shape for array in arrays))
    call = Call(kind, {}, (x, *arrays), shapes, ((1, *row),), x.dtype.name)
    return operator(name, call, [x])[0]


def scale(name: str, factor: NDArray[Any], offset: NDArray[Any] | None) -> Any:
    """A layer x * scale + bias for each channel (the last axis), both trainable.

    Its weights are `scale` and, where `offset` is given, `bias`.
    """
    layer = _scale()(len(factor), offset is not None, name=name)
    layer.build((None, len(factor)))
    layer.set_weights([factor] if offset is None else [factor, offset])
    return layer


def offset(name: str, bias: NDArray[Any]) -> Any:
    """A layer x + bias for each channel, whose weight `bias` is trainable."""
    layer = _offset()(len(bias), name=name)
    layer.build((None, len(bias)))
    layer.set_weights([bias])
    return layer


@cache
def _operator() -> Any:
    keras, tf = _tf.tf_keras(), _tf.tensorflow()
    plain = tf.autograph.experimental.do_not_convert  # rewriting Python costs 0.2 s an operator

    class Operator(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """An operator of the flatbuffer, for a batch; `places` are those of its tensors."""

        def __init__(self, operator: Call, places: tuple[int, ...], **settings: Any) -> None:
            super().__init__(**{"autocast": False, **settings})
            self.operator, self.places = operator, places

        def call(self, x: Any) -> Any:
            """The outputs of the operator, a list where there are several."""
            return plain(self._outputs)(x)

        def _outputs(self, x: Any) -> Any:
            tensors = x if isinstance(x, list | tuple) else [x]
            values = list(self.operator.values)
            for place, tensor in zip(self.places, tensors, strict=True):
                values[place] = tf.reshape(tensor, [-1, *self.operator.shapes[place]])
            results = compute(replace(self.operator, values=tuple(values)))
            shaped = [
                tf.reshape(result, [-1, *compact(shape)])
                for result, shape in zip(results, self.operator.outputs, strict=True)
            ]
            return shaped if len(shaped) > 1 else shaped[0]

        def get_config(self) -> dict[str, Any]:
            """What makes the same layer again in this process."""
            mine = {"operator": self.operator, "places": self.places}
            return {**super().get_config(), **mine}

    return Operator


@cache
def _scale() -> Any:
    keras = _tf.tf_keras()

    class Scale(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """x * scale + bias for each channel."""

        def __init__(self, channels: int, biased: bool, **settings: Any) -> None:
            super().__init__(**settings)
            self.channels, self.biased = channels, biased

        def build(self, shape: Any) -> None:
            """Make the two vectors."""
            self.scale = self.add_weight("scale", (self.channels,), initializer="ones")
            self.bias = self.add_weight("bias", (self.channels,)) if self.biased else None
            super().build(shape)

        def call(self, x: Any) -> Any:
            """x * scale + bias."""
            y = x * self.scale
            return y if self.bias is None else y + self.bias

        def get_config(self) -> dict[str, Any]:
            """What makes the same layer again."""
            mine = {"channels": self.channels, "biased": self.biased}
            return {**super().get_config(), **mine}

    return Scale


@cache
def _offset() -> Any:
    keras = _tf.tf_keras()

    class Offset(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """x + bias for each channel."""

        def __init__(self, channels: int, **settings: Any) -> None:
            super().__init__(**settings)
            self.channels = channels

        def build(self, shape: Any) -> None:
            """Make the vector."""
            self.bias = self.add_weight("bias", (self.channels,))
            super().build(shape)

        def call(self, x: Any) -> Any:
            """x + bias."""
            return x + self.bias

        def get_config(self) -> dict[str, Any]:
            """What makes the same layer again."""
            return {**super().get_config(), "channels": self.channels}

    return Offset
