"""A layer of a wide network, part of whose weights are those of the same layer of a tiny one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Part:
    """Where the tiny layer's weights are in the wide one.

    Attributes:
        own: bool, the wide kernel's shape in the layer's layout: which are the tiny layer's.
        made: Likewise: which lead to channels that the tiny layer has.
        bias: bool [output channels] of the wide layer: which are the tiny layer's.
    """

    own: Array
    made: Array
    bias: Array


def wide_layer(tiny: LiftedLayer, wide: LiftedLayer, part: Part, seed: int) -> Any:
    """The layer to be called in place of `wide`.

    Args:
        tiny: In the normalised form; its weights train here, too.
        wide: Folded, its kernel made of copies of the tiny one's.
        part: What is whose.
        seed: Of the new weights.
    """
    return _class()(tiny, wide, part, seed)


def _places(own: Array) -> Array:
    """Of each place in a wide array where to find its value: in the tiny one, or behind it."""
    flat = own.ravel()
    tiny = int(flat.sum())
    return np.where(flat, np.cumsum(flat) - 1, tiny + np.cumsum(~flat) - 1).reshape(own.shape)


@cache
def _class() -> Any:
    keras, tf = _tf.tf_keras(), _tf.tensorflow()

    class Wide(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Calls the wide layer with weights that are put together."""

        def __init__(self, tiny: LiftedLayer, wide: LiftedLayer, part: Part, seed: int) -> None:
            super().__init__(name=f"{wide.name}_wide")
            deep = wide.kind == "DepthwiseConv2D"
            self._attribute = "depthwise_kernel" if deep else "kernel"
            kernel, bias = np.asarray(wide.kernel_variable), wide.bias_array()
            self._unit = float(np.abs(kernel).max()) or 1.0
            self._tiny, self._places = _own_weights(tiny), _places(part.own)
            self._bias_places = None if bias is None else _places(part.bias)
            random = np.random.default_rng(seed)
            new = kernel if deep else random.normal(0, kernel.std(), kernel.shape)
            new = np.where(part.made, 0, new)[~part.own] / self._unit
            self.new = self._weight("new", new)
            self.new_bias = None if bias is None else self._weight("new_bias", bias[~part.bias])
            wide.layer.trainable = False
            for name in (self._attribute, "bias"):
                setattr(wide.layer, name, None)  # they are no variables here
            self.inner = wide.layer

        def _weight(self, name: str, values: Array) -> Any:
            begin = keras.initializers.Constant(values)
            return self.add_weight(name, values.shape, initializer=begin)

        def call(self, x: Any) -> Any:
            """As the wide layer would."""
            kernel, bias = self._tiny()
            setattr(self.inner, self._attribute, self._together(kernel, self.new * self._unit))
            if self._bias_places is not None:
                whole = tf.concat([bias, self.new_bias], axis=0)
                self.inner.bias = tf.gather(whole, self._bias_places)
            return self.inner(x)

        def _together(self, kernel: Any, new: Any) -> Any:
            whole = tf.concat([tf.reshape(kernel, [-1]), new], axis=0)
            return tf.gather(whole, self._places)

    return Wide


def _own_weights(layer: LiftedLayer) -> Any:
    """What makes kernel and bias of the layer as they would be lowered, as tensors."""
    assert layer.scale is not None, "the tiny network is lifted in the normalised form"
    scale, variable = layer.scale, layer.kernel_variable
    channels = tuple(variable.shape[2:]) if layer.kind == "DepthwiseConv2D" else (-1,)

    def weights() -> tuple[Any, Any]:
        return variable * _tf.tensorflow().reshape(scale.scale, channels), scale.bias

    return weights
