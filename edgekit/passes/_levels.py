"""A layer whose kernel has few levels in every call, while what it is rounded from trains.

The gradient of rounding is taken for 1 (straight-through), within the levels: so the scale of a
channel gets LSQ's gradient by itself (Esser et al. 2020, arXiv:1902.08153, equation 3), and a
weight is not driven beyond the outermost level. Signs let gradients through up to 1, the largest
weight of a channel to begin with, as in BinaryNet (arXiv:1602.02830, equation 4).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer
from edgekit.passes._bits_options import Levels
from edgekit.passes._code_book import snapped
from edgekit.passes._columns import Columns
from edgekit.passes._fake_quant import wrapping
from edgekit.quantizers._steps import even_step

Array = NDArray[Any]
_LEAST_GAIN = 1e-3
_SMALL = 0.7
"""Share of a channel's mean magnitude below which a weight becomes zero (TWN, arXiv:1605.04711)."""


class Leveled:
    """The wrapper around one layer.

    Args:
        layer: Unwrapped, normalised, holding its weights; they are out of it until `strip`.
        levels: That its weights may have.
        zeros: Whether zeros stay zeros.
    """

    def __init__(self, layer: LiftedLayer, levels: Levels, *, zeros: bool) -> None:
        self.layer, self._levels, self._zeros = layer, levels, zeros
        kernel = np.asarray(layer.kernel_variable)
        self._columns = Columns.of(layer.kind, kernel.shape)
        flat = self._columns.flatten(kernel)
        self._before = flat
        self._grid = _grid()(flat, self._columns, levels, zeros)
        setattr(layer.layer, self._columns.attribute, None)  # else it would train beside this one
        wrapper, config = wrapping()
        self.wrapper = wrapper(layer.layer, config({self._columns.attribute: self._grid}))

    def _codes(self) -> Array:
        """The values that the weights of each channel may have, ascending, [channels, values]."""
        largest = self._levels.largest
        integers = np.arange(-largest, largest + 1.0)
        if self._levels.rule == "sign":
            integers = integers[integers != 0]
        codes: Array = np.asarray(self._grid.steps())[:, None] * integers
        return codes

    def snap(self, mine: Array, cross: Array) -> None:
        """Let the weights begin at the levels that do best together; see `_few_values.Held`."""
        found = snapped(self.layer, self._before, self._codes(), self._zeros, mine, cross)
        self._grid.weight.assign(found)

    def strip(self) -> Array:
        """After training: give the layer integers for a kernel.

        Returns:
            What they are multiplied by, float32 [output channels].
        """
        assert self.layer.scale is not None, "levels are of the normalised form"
        kernel = self._columns.restore(np.asarray(self._grid.integers()))
        setattr(self.layer.layer, self._columns.attribute, _tf.tensorflow().Variable(kernel))
        self.layer.scale.scale.assign(self.layer.scale.scale * self._grid.steps())
        return np.asarray(self.layer.scale.scale)


def first_steps(flat: Array, levels: Levels) -> Array:
    """What integers are multiplied by to begin with, float32 [channels].

    Args:
        flat: Weights [weights, channels].
        levels: That they may have.
    """
    if levels.rule == "even":
        steps = [even_step(column, levels.largest) for column in flat.T]
        return np.array([step or 1 for step in steps], np.float32)  # of zeros, any will do
    size = np.abs(flat)
    large = size > (_SMALL * size.mean(axis=0) if levels.rule == "threshold" else -1)
    return np.asarray((size * large).sum(axis=0) / np.maximum(large.sum(axis=0), 1), np.float32)


@cache
def _grid() -> Any:
    """What a kernel is trained as: `weight` is trained, calls round it."""
    tf, _ = _tf.tensorflow(), _tf.tfmot()  # the latter goes before its modules
    quantizers = _tf.module(
        "tensorflow_model_optimization.python.core.quantization.keras.quantizers"
    )

    class Grid(quantizers.Quantizer):  # type: ignore[misc, name-defined]
        """Weights [weights, channels] on levels, with a step a channel that is trained, too."""

        def __init__(self, flat: Array, columns: Columns, levels: Levels, zeros: bool) -> None:
            self.columns, self.levels = columns, levels
            self.mask = (flat != 0).astype(np.float32) if zeros else np.ones_like(flat)
            self.start = first_steps(flat, levels)
            self.weight = tf.Variable(flat, name=columns.attribute)

        def build(self, shape: Any, name: str, layer: Any) -> dict[str, Any]:
            start = (len(self.start),)
            self.gain = layer.add_weight(f"{name}_gain", start, initializer="ones")
            return {}

        def get_config(self) -> dict[str, Any]:
            return {}  # these models are never saved

        def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
            steps = self.steps()
            soft, hard = self._soft(inputs, steps), self._hard(inputs, steps)
            flat = (soft + tf.stop_gradient(hard - soft)) * steps * self.mask
            return self.columns.restore(flat, tf.reshape, tf.transpose)

        def steps(self) -> Any:
            return self.start * tf.maximum(self.gain, _LEAST_GAIN)

        def integers(self) -> Any:
            return self._hard(self.weight, self.steps()) * self.mask

        def _soft(self, values: Any, steps: Any) -> Any:
            """What gradients see in place of `_hard`."""
            if self.levels.rule != "even":
                return tf.clip_by_value(values, -1.0, 1.0)
            largest = float(self.levels.largest)
            return tf.clip_by_value(values / steps, -largest, largest)

        def _hard(self, values: Any, steps: Any) -> Any:
            """The integers of weights."""
            if self.levels.rule == "even":
                return tf.round(self._soft(values, steps))
            signs = tf.where(values < 0, -1.0, 1.0)
            if self.levels.rule == "sign":
                return signs
            size = tf.abs(values)
            return signs * tf.cast(size > _SMALL * tf.reduce_mean(size, axis=0), tf.float32)

    return Grid
