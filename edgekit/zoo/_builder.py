"""Layers with names and seeds of their own: a network is the same in every process."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from edgekit import _tf
from edgekit.zoo._types import Head, Shape

Pair = int | tuple[int, int]
RELU = "relu"


def rounded(channels: float, divisor: int = 8) -> int:
    """Channels as a multiple that loses no more than a tenth (as in MobileNet's code)."""
    nearest = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * channels else nearest


def repeats(count: int, depth: float) -> int:
    """Blocks of a stage whose depth is scaled (Tan and Le 2019, arXiv:1905.11946)."""
    return max(1, math.ceil(count * depth))


class Builder:
    """Makes layers and applies them.

    Args:
        seed: Of the weights; each layer has its own from it, and from its place.
    """

    def __init__(self, seed: int) -> None:
        self.layers: Any = _tf.keras3().layers
        self._seed, self._named, self._drawn = seed, Counter[str](), 0

    def entry(self, shape: Shape) -> tuple[Any, Any]:
        """The input, and the same as [height, width, channels]."""
        inputs = self.layers.Input(shape, name="input")
        return inputs, inputs if len(shape) == 3 else self.reshape(inputs, (*shape, 1))

    def model(self, inputs: Any, scores: Any, head: Head, name: str) -> Any:
        """The network, its scores behind the `head`."""
        if head != "linear":
            scores = self.act(scores, head)
        return _tf.keras3().Model(inputs, scores, name=name)

    def conv(
        self,
        x: Any,
        channels: int,
        kernel: Pair = 3,
        stride: Pair = 1,
        *,
        act: str = RELU,
        norm: bool = True,
        groups: int = 1,
        dilation: Pair = 1,
        bias: bool = True,
    ) -> Any:
        """Convolution, batch normalization, activation; "" for none. Normalized, it has no bias."""
        layer = self.layers.Conv2D(
            channels,
            kernel,
            stride,
            padding="same",
            groups=groups,
            dilation_rate=dilation,
            use_bias=bias and not norm,
            kernel_initializer=self._initial("HeNormal"),
            name=self._name("conv"),
        )
        return self._behind(layer(x), act, norm)

    def depthwise(
        self,
        x: Any,
        kernel: Pair = 3,
        stride: int = 1,
        *,
        act: str = RELU,
        norm: bool = True,
        bias: bool = False,
    ) -> Any:
        """Depthwise convolution, batch normalization, activation."""
        layer = self.layers.DepthwiseConv2D(
            kernel,
            stride,
            padding="same",
            use_bias=bias,
            depthwise_initializer=self._initial("HeNormal"),
            name=self._name("depthwise"),
        )
        return self._behind(layer(x), act, norm)

    def separable(self, x: Any, channels: int, kernel: Pair = 3, stride: int = 1) -> Any:
        """Depthwise, then 1 x 1, each with normalization and ReLU (arXiv:1704.04861)."""
        return self.conv(self.depthwise(x, kernel, stride), channels, 1)

    def norm(self, x: Any) -> Any:
        """Batch normalization."""
        return self.layers.BatchNormalization(name=self._name("norm"))(x)

    def act(self, x: Any, act: str = RELU) -> Any:
        """An activation; a plain `ReLU` layer of its own where there is one."""
        if act in ("relu", "relu6"):
            layer = self.layers.ReLU(6.0 if act == "relu6" else None, name=self._name("relu"))
        else:
            layer = self.layers.Activation(act, name=self._name(act))
        return layer(x)

    def dense(self, x: Any, units: int, act: str = "") -> Any:
        """Dense with a bias, and an activation."""
        layer = self.layers.Dense(
            units,
            kernel_initializer=self._initial("GlorotUniform"),
            # the converter leaves a bias of zeros out, and what is not there is not trained
            bias_initializer=self._initial("RandomNormal", stddev=1e-3),
            name=self._name("dense"),
        )
        return self.act(layer(x), act) if act else layer(x)

    def max_pool(self, x: Any, size: int = 2, stride: int = 2) -> Any:
        """The largest of size x size."""
        name = self._name("max_pool")
        return self.layers.MaxPooling2D(size, stride, padding="same", name=name)(x)

    def mean_pool(self, x: Any, size: int = 2, stride: int = 2) -> Any:
        """The mean of size x size."""
        name = self._name("mean_pool")
        return self.layers.AveragePooling2D(size, stride, padding="same", name=name)(x)

    def global_mean(self, x: Any, keep: bool = False) -> Any:
        """The mean of each channel, [channels]; `keep`: [1, 1, channels]."""
        name = self._name("global_mean")
        return self.layers.GlobalAveragePooling2D(keepdims=keep, name=name)(x)

    def flatten(self, x: Any) -> Any:
        """[values]."""
        return self.layers.Flatten(name=self._name("flatten"))(x)

    def reshape(self, x: Any, shape: Shape) -> Any:
        """Another shape, without the batch."""
        return self.layers.Reshape(shape, name=self._name("reshape"))(x)

    def series(self, x: Any) -> Any:
        """[time, 1, channels] of [time, channels, 1], or of a picture's rows."""
        time, width, channels = x.shape[1:]
        return x if width == 1 else self.reshape(x, (time, 1, width * channels))

    def pad(self, x: Any, size: int) -> Any:
        """Zeros around the picture."""
        return self.layers.ZeroPadding2D(size, name=self._name("pad"))(x)

    def cut(self, x: Any, places: tuple[Any, ...]) -> Any:
        """A part of x, as `x[:, places]`; (..., slice): some of the channels."""
        part = x[places if places[0] is ... else (slice(None), *places)]
        part._keras_history.operation.name = self._name("cut")  # Keras numbers it by the process
        return part

    def channels(self, x: Any, begin: int, end: int) -> Any:
        """Some of the channels."""
        return self.cut(x, (..., slice(begin, end)))

    def add(self, *values: Any) -> Any:
        """Their sum."""
        return self.layers.Add(name=self._name("add"))(list(values))

    def concat(self, values: Sequence[Any]) -> Any:
        """All their channels."""
        return self.layers.Concatenate(name=self._name("concat"))(list(values))

    def shuffle(self, x: Any, groups: int) -> Any:
        """Channels of all groups in turn (arXiv:1707.01083); [batch, places, ...] of rank 4."""
        height, width, channels = x.shape[1:]
        x = self.reshape(x, (height * width, groups, channels // groups))
        x = self.layers.Permute((1, 3, 2), name=self._name("shuffle"))(x)
        return self.reshape(x, (height, width, channels))

    def excite(self, x: Any, channels: int, act: str = "sigmoid") -> Any:
        """Channels by what all of the picture says of them (arXiv:1709.01507)."""
        scale = self.conv(self.global_mean(x, keep=True), channels, 1, norm=False)
        scale = self.conv(scale, x.shape[-1], 1, act=act, norm=False)
        return self.layers.Multiply(name=self._name("excite"))([x, scale])

    def classify(self, x: Any, classes: int) -> Any:
        """Scores [classes] from the means of the channels."""
        return self.dense(self.global_mean(x), classes)

    def _behind(self, x: Any, act: str, norm: bool) -> Any:
        x = self.norm(x) if norm else x
        return self.act(x, act) if act else x

    def _name(self, kind: str) -> str:
        self._named[kind] += 1
        return f"{kind}{self._named[kind]}"

    def _initial(self, kind: str, **options: float) -> Any:
        self._drawn += 1
        seed = self._seed * 100_003 + self._drawn
        return getattr(_tf.keras3().initializers, kind)(seed=seed, **options)
