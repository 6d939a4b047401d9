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

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.passes._columns import Book, Columns
from edgekit.passes._keep import fixed_apart
from edgekit.quantizers._code_book import LARGEST

Array = NDArray[Any]
Scales = Literal["channel", "tensor", "none"]
_LEAST_GAIN = 1e-3
_INSIDE = "tensorflow_model_optimization.python.core.quantization.keras."


@dataclass(frozen=True)
class Rounding:
    """How the kernel of a layer is rounded, and what of it is to stay.

    Attributes:
        scales: How many the file has for it; `none`: it is not rounded.
        sparse: Whether what is zero stays zero.
        books: Whether code books stay: one for each output channel, or with `shared` one for all.
        shared: The int8 scale [output channels] of each channel where they share a code book; of
            a kernel without books, scales that stay as they are.
        unit: Typical size of the layer's output, positive.
    """

    scales: Scales
    sparse: bool = False
    books: bool = False
    shared: Array | None = None
    unit: float = 1.0


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
        kernel, classes = np.asarray(getattr(layer, attribute)), _weights()
        self._layer, self._columns = layer, Columns.of(kind, kernel.shape)
        flat = self._columns.flatten(kernel)
        made = classes["Clustered" if rounding.books else "Free"]
        self._weights = {attribute: made(flat, self._columns, rounding)}
        if layer.bias is not None:
            self._weights["bias"] = classes["Scaled"](np.asarray(layer.bias), rounding.unit)
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
def _weights() -> dict[str, Any]:
    """What a weight is trained as."""
    tf, _ = _tf.tensorflow(), _tf.tfmot()  # the latter goes before its modules
    default = _tf.module(_INSIDE + "default_8bit.default_8bit_quantizers")
    quantizers = _tf.module(_INSIDE + "quantizers")

    def rounded(scales: Scales, bits: int = 8) -> Any:
        if scales == "none":
            return quantizers.NoQuantizer()
        if scales == "channel":
            return default.Default8BitConvWeightsQuantizer()
        return quantizers.LastValueQuantizer(
            bits, per_axis=False, symmetric=True, narrow_range=True
        )

    def gain(layer: Any, name: str, channels: int) -> Any:
        return layer.add_weight(f"{name}_gain", (channels,), initializer="ones")

    def positive(gain: Any) -> Any:
        return tf.maximum(gain, _LEAST_GAIN)  # a channel that changed its sign would need new codes

    def laid_out(columns: Columns, flat: Any) -> Any:
        return columns.restore(flat, tf.reshape, tf.transpose)

    class Weight(quantizers.Quantizer):  # type: ignore[misc, name-defined]
        """What `Config` holds: `weight` is trained, `real` is what it stands for."""

        def build(self, shape: Any, name: str, layer: Any) -> dict[str, Any]:
            return {}

        def get_config(self) -> dict[str, Any]:
            return {}  # these models are never saved

    class Free(Weight):
        """A kernel of any values, but for the zeros that stay."""

        def __init__(self, flat: Array, columns: Columns, rounding: Rounding) -> None:
            largest = np.abs(flat).max(axis=0)
            self.start = np.where(largest > 0, largest, np.float32(1))
            self.mask, self.columns = _mask(flat, rounding), columns
            self.fixed = rounding.shared if rounding.scales == "channel" else None
            self.rounding = rounded(rounding.scales)
            self.weight = tf.Variable(flat / self.start, name=columns.attribute)

        def build(self, shape: Any, name: str, layer: Any) -> dict[str, Any]:
            self.gain = gain(layer, name, len(self.start))
            return self.rounding.build((len(self.start),), name, layer) or {}

        def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
            kernel = inputs * self.mask * self.start * positive(self.gain)
            if self.fixed is not None:
                end = self.fixed * LARGEST
                rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(
                    kernel, -end, end, narrow_range=True
                )
                return laid_out(self.columns, rounded)
            # the file takes its scales from the weights it holds, in training or not
            return laid_out(self.columns, self.rounding(kernel, True, weights))

        def real(self) -> Array:
            flat = self.weight * self.mask * self.start * positive(self.gain)
            return np.asarray(laid_out(self.columns, flat))

        def scales(self) -> Array | None:
            return self.fixed

    class Clustered(Weight):
        """A kernel whose weights stay in their clusters, while the codes of these are trained."""

        def __init__(self, flat: Array, columns: Columns, rounding: Rounding) -> None:
            scales, self.shared = rounding.shared, rounding.shared is not None
            book = Book.per_channel(flat) if scales is None else Book.shared(flat, scales)
            self.start, self.index, self.columns = book.start, book.index.T, columns
            self.mask = _mask(book.codes, rounding)
            one_scale = self.shared and rounding.scales == "channel"
            self.levels = max(1, round(float(np.abs(book.codes).max()) * LARGEST))
            bits = min(8, self.levels.bit_length() + 1)  # cluster may have asked for few
            self.rounding = rounded("tensor" if one_scale else rounding.scales, bits)
            # a code of few bits that moves on takes all its weights a whole step along
            moving = self.levels > LARGEST // 2
            self.weight = tf.Variable(book.codes, trainable=moving, name="codes")

        def build(self, shape: Any, name: str, layer: Any) -> dict[str, Any]:
            # channels whose factors are alike, or octaves apart, keep to that
            alike = self.shared and fixed_apart(self.start)
            self.gain = gain(layer, name, 1 if alike else len(self.start))
            return self.rounding.build((len(self.start),), name, layer) or {}

        def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
            codes = inputs * self.mask
            if self.shared:  # rounded alike for all channels, whose scales are the file's
                return self._spread(self.rounding(codes, True, weights), self._factors())
            return self._spread(self.rounding(codes * self._factors(), True, weights), 1.0)

        def _spread(self, codes: Any, factors: Any) -> Any:
            each = tf.transpose(tf.broadcast_to(codes, [codes.shape[0], len(self.start)]))
            flat = tf.transpose(tf.gather(each, self.index, batch_dims=1)) * factors
            return laid_out(self.columns, flat)

        def _factors(self) -> Any:
            return self.start * positive(self.gain)

        def real(self) -> Array:
            return np.asarray(self._spread(self.weight * self.mask, self._factors()))

        def scales(self) -> Array | None:
            largest = np.abs(self.weight * self.mask).max()
            return np.asarray(self._factors() * (largest / self.levels)) if self.shared else None

    class Scaled(Weight):
        """A bias in units of the layer's output; int32 holds it without loss."""

        def __init__(self, bias: Array, unit: float) -> None:
            self.unit = np.float32(unit)
            self.weight = tf.Variable(bias / self.unit, name="bias")

        def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
            return inputs * self.unit

        def real(self) -> Array:
            return np.asarray(self.weight * self.unit)

    return {each.__name__: each for each in (Free, Clustered, Scaled)}


@cache
def wrapping() -> tuple[Any, Any]:
    """`QuantizeWrapperV2`, and the config that it is given."""
    tfmot, wrapper = _tf.tfmot(), _tf.module(_INSIDE + "quantize_wrapper")

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


def _mask(values: Array, rounding: Rounding) -> Array:
    return (values != 0).astype(np.float32) if rounding.sparse else np.ones_like(values)
