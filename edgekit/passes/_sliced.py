"""Layers that compute with a part of another layer's kernel."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer

Slices = Mapping[int, NDArray[Any]]
"""Axis of a kernel in its layer's layout -> the indices along it that are taken."""
KINDS = ("Conv2D", "DepthwiseConv2D", "Dense")


def sliced(narrow: LiftedLayer, whole: LiftedLayer, slices: Slices) -> Any:
    """A layer that does what `narrow` does, with a part of the kernel of `whole`.

    Args:
        narrow: Its own kernel, of the shape of the part, is not used. Without a bias.
        whole: Its kernel is trained.
        slices: The part.
    """
    return _class()(narrow.kind, narrow.layer, whole, slices, name=f"{narrow.name}_sliced")


def part(kernel: Any, slices: Slices) -> NDArray[Any]:
    """The part of a kernel as an array."""
    found = np.asarray(kernel)
    for axis, indices in slices.items():
        found = np.take(found, indices, axis)
    return found


@cache
def _class() -> Any:
    keras, tf = _tf.tf_keras(), _tf.tensorflow()

    class Sliced(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """A part of the kernel of `whole`, used as `like` uses its own."""

        def __init__(
            self, kind: str, like: Any, whole: LiftedLayer, slices: Slices, **settings: Any
        ) -> None:
            super().__init__(**settings)
            self.kind, self.slices = kind, dict(slices)
            self.whole = whole.layer  # its variables are this layer's, too
            self._like = [lambda: like]  # hidden from Keras: its variables are nobody's
            self._kernel = [lambda: whole.kernel_variable]

        def call(self, x: Any) -> Any:
            """What the layer does, without a bias."""
            kernel, like = self._kernel[0](), self._like[0]()
            for axis, indices in self.slices.items():
                kernel = tf.gather(kernel, indices, axis=axis)
            if self.kind == "Conv2D":
                return like.convolution_op(x, kernel)
            if self.kind == "Dense":
                return (
                    tf.linalg.matmul(x, kernel) if len(x.shape) == 2 else tf.tensordot(x, kernel, 1)
                )
            return keras.backend.depthwise_conv2d(
                x,
                kernel,
                strides=like.strides,
                padding=like.padding,
                dilation_rate=like.dilation_rate,
                data_format=like.data_format,
            )

    return Sliced
