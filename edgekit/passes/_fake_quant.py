"""Kernels rounded in training as in the int8 file, and keeping what earlier passes promised.

TFMOT's 8-bit weight quantizers in its `QuantizeWrapperV2`. Its collaborative quantizers are not
used, for what they do to a folded kernel: the cluster-preserving one keeps the distinct values of
the float kernel, which after folding are as many as channels times code book (above 1,024 it gives
up), and its scale for each channel rounds equal codes to different integers; the prune-preserving
one is a mask, which is kept here.

Jacob et al. 2018, arXiv:1712.05877; https://www.tensorflow.org/model_optimization/guide/combine

The classes are made on use, since importing them imports TensorFlow.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.passes._columns import Columns
from edgekit.passes._fake_weights import INSIDE, Rounding, clustered, free, scaled

Array = NDArray[Any]


class FakeQuantized:
    """A layer whose kernel is rounded in every call, and trained in a form that trains well.

    The kernel is start * gain * weight, with a start for each output channel that makes the
    weights at most 1, and a gain that is trained from 1: a step of the optimiser is then a share of
    the weight, whatever the scale of the layer's input. The bias is trained in units of the output.

    Args:
        layer: Of tf_keras: built, holding its weights; they are out of it until `restore`.
        kind: Its class.
        rounding: What is to become of its kernel.
    """

    def __init__(self, layer: Any, kind: str, rounding: Rounding) -> None:
        attribute = "depthwise_kernel" if kind == "DepthwiseConv2D" else "kernel"
        kernel = np.asarray(getattr(layer, attribute))
        self._layer, self._columns = layer, Columns.of(kind, kernel.shape)
        flat = self._columns.flatten(kernel)
        made = clustered() if rounding.books else free()
        self._weights = {attribute: made(flat, self._columns, rounding)}
        if layer.bias is not None:
            self._weights["bias"] = scaled()(np.asarray(layer.bias), rounding.unit)
        for name in self._weights:
            setattr(layer, name, None)  # else the layer would train them beside these
        wrapper, config = wrapping()
        self.wrapper = wrapper(layer, config(self._weights))

    def restore(self) -> Array | None:
        """Put kernel and bias back, as trained and not rounded.

        Returns:
            The int8 scales [output channels] where channels share a code book, else None.
        """
        tf = _tf.tensorflow()
        for name, weight in self._weights.items():
            setattr(self._layer, name, tf.Variable(weight.real()))
        scales: Array | None = self._weights[self._columns.attribute].scales()
        return scales


@cache
def wrapping() -> tuple[Any, Any]:
    """`QuantizeWrapperV2`, and the config that it is given."""
    tfmot, wrapper = _tf.tfmot(), _tf.module(INSIDE + "quantize_wrapper")

    class Config(tfmot.quantization.keras.QuantizeConfig):  # type: ignore[misc, name-defined]
        """Which weights of one layer are rounded how; activations have layers of their own."""

        def __init__(self, weights: dict[str, Any]) -> None:
            self.weights = weights

        def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
            return [(quantizer.weight, quantizer) for quantizer in self.weights.values()]

        def set_quantize_weights(self, layer: Any, quantize_weights: list[Any]) -> None:
            for name, value in zip(self.weights, quantize_weights, strict=True):
                setattr(layer, name, value)

        def get_activations_and_quantizers(self, layer: Any) -> list[Any]:
            return []

        def set_quantize_activations(self, layer: Any, quantize_activations: list[Any]) -> None:
            del layer, quantize_activations  # a body for AutoGraph: there are none

        def get_output_quantizers(self, layer: Any) -> list[Any]:
            return []

        def get_config(self) -> dict[str, Any]:
            return {}

    return wrapper.QuantizeWrapperV2, Config
