"""Activations rounded in training as in the int8 file, on ranges that follow what passes through.

TFMOT's `MovingAverageQuantizer` in its `QuantizeLayer`, but: ranges start where calibration has
them (TFMOT's start at +-6 and take thousands of steps to arrive), and what has one scale in the
file has one range here. Jacob et al. 2018, arXiv:1712.05877, section 3.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np

from edgekit import _tf

_INSIDE = "tensorflow_model_optimization.python.core.quantization.keras."


class Range:
    """The range of an activation, in variables of TensorFlow.

    Args:
        low: To begin with.
        high: To begin with; the range is widened to hold zero, as integers must.
    """

    def __init__(self, low: float, high: float) -> None:
        tf = _tf.tensorflow()
        self.low = tf.Variable(np.float32(min(low, 0.0)), trainable=False)
        self.high = tf.Variable(np.float32(max(high, 0.0)), trainable=False)


def union(spans: Iterable[Range]) -> tuple[float, float]:
    """The range that holds all of these as they are now."""
    ends = [(float(span.low.numpy()), float(span.high.numpy())) for span in spans]
    return min(low for low, _ in ends), max(high for _, high in ends)


def activation(name: str, own: Range, group: Sequence[Range], decay: Any | None) -> Any:
    """A layer that rounds an activation.

    Args:
        name: Of the layer.
        own: The activation's range.
        group: Ranges of all activations, this one among them, that have one scale in the file: it
            is rounded on the range that holds them all.
        decay: Of the moving average by which its own range follows the batches in training, as a
            variable of TensorFlow; 1 holds it. None: the range is known.
    """
    layer, ranged = _classes()
    return layer(ranged(own, group, decay), name=name)


@cache
def _classes() -> tuple[Any, Any]:
    """`QuantizeLayer`, and what it is to do."""
    tf = _tf.tensorflow()
    _tf.tfmot()  # goes before its modules: it keeps tf.keras what it was
    names = ("quant_ops", "quantizers", "quantize_layer")
    ops, quantizers, layer = (_tf.module(_INSIDE + name) for name in names)

    class Ranged(quantizers.MovingAverageQuantizer):  # type: ignore[misc, name-defined]
        """An activation in a group; see `activation`."""

        def __init__(self, own: Range, group: Sequence[Range], decay: Any | None) -> None:
            super().__init__(8, per_axis=False, symmetric=False, narrow_range=False)
            self.own, self.group, self.decay = own, group, decay

        def build(self, shape: Any, name: str, layer: Any) -> dict[str, Any]:
            layer.low, layer.high = self.own.low, self.own.high
            return {}

        def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
            if training and self.decay is not None:  # for what it does to the range
                own = self.own.low, self.own.high
                ops.MovingAvgQuantize(inputs, *own, ema_decay=self.decay)
            low = tf.reduce_min([span.low for span in self.group])
            high = tf.reduce_max([span.high for span in self.group])
            return ops.MovingAvgQuantize(inputs, low, high, is_training=False)

    return layer.QuantizeLayer, Ranged
