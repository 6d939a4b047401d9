"""What the weights of a layer are trained as, while they are rounded in every call.

The classes are made on use, since importing them imports TensorFlow. An instance has `weight`,
which is trained, and `real()`, what that stands for; of a kernel also `scales()`: its int8 scales
[output channels] where these are given, else None.
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
INSIDE = "tensorflow_model_optimization.python.core.quantization.keras."
_LEAST_GAIN = 1e-3


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


@cache
def free() -> Any:
    """The class of a kernel of any values: (flat, columns, rounding)."""
    tf = _tf.tensorflow()

    class Free(_weight()):  # type: ignore[misc]
        """A kernel of any values, but for the zeros that stay."""

        def __init__(self, flat: Array, columns: Columns, rounding: Rounding) -> None:
            largest = np.abs(flat).max(axis=0)
            self.start = np.where(largest > 0, largest, np.float32(1))
            self.mask, self.columns = _mask(flat, rounding), columns
            self.fixed = rounding.shared if rounding.scales == "channel" else None
            self.rounding = _rounded(rounding.scales)
            self.weight = tf.Variable(flat / self.start, name=columns.attribute)

        def build(self, shape: Any, name: str, layer: Any) -> dict[str, Any]:
            self.gain = _gain(layer, name, len(self.start))
            return self.rounding.build((len(self.start),), name, layer) or {}

        def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
            kernel = inputs * self.mask * self.start * _positive(tf, self.gain)
            if self.fixed is not None:
                end = self.fixed * LARGEST
                rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(
                    kernel, -end, end, narrow_range=True
                )
                return _laid_out(tf, self.columns, rounded)
            # the file takes its scales from the weights it holds, in training or not
            return _laid_out(tf, self.columns, self.rounding(kernel, True, weights))

        def real(self) -> Array:
            flat = self.weight * self.mask * self.start * _positive(tf, self.gain)
            return np.asarray(_laid_out(tf, self.columns, flat))

        def scales(self) -> Array | None:
            return self.fixed

    return Free


@cache
def clustered() -> Any:
    """The class of a kernel whose weights stay in their clusters: (flat, columns, rounding)."""
    tf = _tf.tensorflow()

    class Clustered(_weight()):  # type: ignore[misc]
        """A kernel whose weights stay in their clusters, while the codes of these are trained."""

        def __init__(self, flat: Array, columns: Columns, rounding: Rounding) -> None:
            scales, self.shared = rounding.shared, rounding.shared is not None
            book = Book.per_channel(flat) if scales is None else Book.shared(flat, scales)
            self.start, self.index, self.columns = book.start, book.index.T, columns
            self.mask = _mask(book.codes, rounding)
            one_scale = self.shared and rounding.scales == "channel"
            self.levels = max(1, round(float(np.abs(book.codes).max()) * LARGEST))
            bits = min(8, self.levels.bit_length() + 1)  # cluster may have asked for few
            self.rounding = _rounded("tensor" if one_scale else rounding.scales, bits)
            # a code of few bits that moves on takes all its weights a whole step along
            moving = self.levels > LARGEST // 2
            self.weight = tf.Variable(book.codes, trainable=moving, name="codes")

        def build(self, shape: Any, name: str, layer: Any) -> dict[str, Any]:
            # channels whose factors are alike, or octaves apart, keep to that
            alike = self.shared and fixed_apart(self.start)
            self.gain = _gain(layer, name, 1 if alike else len(self.start))
            return self.rounding.build((len(self.start),), name, layer) or {}

        def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
            codes = inputs * self.mask
            if self.shared:  # rounded alike for all channels, whose scales are the file's
                return self._spread(self.rounding(codes, True, weights), self._factors())
            return self._spread(self.rounding(codes * self._factors(), True, weights), 1.0)

        def _spread(self, codes: Any, factors: Any) -> Any:
            each = tf.transpose(tf.broadcast_to(codes, [codes.shape[0], len(self.start)]))
            flat = tf.transpose(tf.gather(each, self.index, batch_dims=1)) * factors
            return _laid_out(tf, self.columns, flat)

        def _factors(self) -> Any:
            return self.start * _positive(tf, self.gain)

        def real(self) -> Array:
            return np.asarray(self._spread(self.weight * self.mask, self._factors()))

        def scales(self) -> Array | None:
            largest = np.abs(self.weight * self.mask).max()
            return np.asarray(self._factors() * (largest / self.levels)) if self.shared else None

    return Clustered


@cache
def scaled() -> Any:
    """The class of a bias: (bias, unit)."""
    tf = _tf.tensorflow()

    class Scaled(_weight()):  # type: ignore[misc]
        """A bias in units of the layer's output; int32 holds it without loss."""

        def __init__(self, bias: Array, unit: float) -> None:
            self.unit = np.float32(unit)
            self.weight = tf.Variable(bias / self.unit, name="bias")

        def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
            return inputs * self.unit

        def real(self) -> Array:
            return np.asarray(self.weight * self.unit)

    return Scaled


@cache
def _weight() -> Any:
    """Their base, which is what `Config` holds."""

    class Weight(_quantizers().Quantizer):  # type: ignore[misc]
        """Builds nothing of its own."""

        def build(self, shape: Any, name: str, layer: Any) -> dict[str, Any]:
            return {}

        def get_config(self) -> dict[str, Any]:
            return {}  # these models are never saved

    return Weight


def _quantizers() -> Any:
    _tf.tfmot()  # goes before its modules
    return _tf.module(INSIDE + "quantizers")


def _rounded(scales: Scales, bits: int = 8) -> Any:
    quantizers = _quantizers()
    if scales == "none":
        return quantizers.NoQuantizer()
    if scales == "channel":
        default = _tf.module(INSIDE + "default_8bit.default_8bit_quantizers")
        return default.Default8BitConvWeightsQuantizer()
    return quantizers.LastValueQuantizer(bits, per_axis=False, symmetric=True, narrow_range=True)


def _gain(layer: Any, name: str, channels: int) -> Any:
    return layer.add_weight(f"{name}_gain", (channels,), initializer="ones")


def _positive(tf: Any, gain: Any) -> Any:
    return tf.maximum(gain, _LEAST_GAIN)  # a channel that changed its sign would need new codes


def _laid_out(tf: Any, columns: Columns, flat: Any) -> Any:
    return columns.restore(flat, tf.reshape, tf.transpose)


def _mask(values: Array, rounding: Rounding) -> Array:
    return (values != 0).astype(np.float32) if rounding.sparse else np.ones_like(values)
