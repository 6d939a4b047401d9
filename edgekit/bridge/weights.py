"""The operators with weights: which input is what, in which layout, shared by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.call import Shape
from edgekit.graph.graph import Graph, Op

Array = NDArray[Any]


@dataclass(frozen=True)
class Kind:
    """An operator with weights.

    Attributes:
        layer: The class of tf_keras.
        x, kernel, bias: Places of the operator's inputs.
        channel: The axis of the output channels in the flatbuffer's kernel.
        order: Axes of the flatbuffer's kernel in the order of the layer's, except for
            DepthwiseConv2D, which splits its channels by their multiplier.
    """

    layer: str
    x: int
    kernel: int
    bias: int
    channel: int
    order: tuple[int, ...]

    def to_keras(self, kernel: Array, multiplier: int = 1) -> Array:
        """The flatbuffer's kernel in the layer's layout."""
        kernel = np.ascontiguousarray(kernel.transpose(self.order))
        if self.layer != "DepthwiseConv2D":
            return kernel
        return kernel.reshape(*kernel.shape[:2], kernel.shape[2] // multiplier, multiplier)

    def to_flatbuffer(self, kernel: Array) -> Array:
        """The layer's kernel in the flatbuffer's layout."""
        if self.layer == "DepthwiseConv2D":
            kernel = kernel.reshape(*kernel.shape[:2], -1, 1)
        return np.ascontiguousarray(kernel.transpose(np.argsort(self.order)))

    def per_channel(self, kernel: Array) -> tuple[int, ...]:
        """The shape that lets one value a channel broadcast over the flatbuffer's kernel."""
        return tuple(n if axis == self.channel else 1 for axis, n in enumerate(kernel.shape))


KINDS = {
    "CONV_2D": Kind("Conv2D", 0, 1, 2, 0, (1, 2, 3, 0)),
    "DEPTHWISE_CONV_2D": Kind("DepthwiseConv2D", 0, 1, 2, 3, (1, 2, 3, 0)),
    "FULLY_CONNECTED": Kind("Dense", 0, 1, 2, 0, (1, 0)),
    "TRANSPOSE_CONV": Kind("Conv2DTranspose", 2, 1, 3, 0, (1, 2, 0, 3)),
    "CONV_3D": Kind("Conv3D", 0, 1, 2, 4, (0, 1, 2, 3, 4)),
}
_NOT_OF_THE_LAYER = ("fused_activation_function", "keep_num_dims")


def bias_of(op: Op) -> int:
    """The tensor index of the operator's bias, -1 where there is none."""
    place = KINDS[op.name].bias
    return op.inputs[place] if place < len(op.inputs) else -1


def has_weights(graph: Graph, op: Op) -> bool:
    """Whether the operator is a layer with a constant kernel."""
    return op.name in KINDS and graph.tensors[op.inputs[KINDS[op.name].kernel]].data is not None


def rows(graph: Graph, op: Op) -> Shape:
    """The shape of one row of the layer's input; its first axis is the batch."""
    kind = KINDS[op.name]
    shape = graph.tensors[op.inputs[kind.x]].shape
    if kind.layer != "Dense":
        return shape[1:]
    width = graph.tensors[op.inputs[kind.kernel]].shape[1]
    inner = shape[1:] if shape[:1] == (1,) else shape
    if inner[-1:] == (width,):
        return inner
    count = int(np.prod(shape)) // width
    return (width,) if count == 1 else (count, width)


def multiplier(graph: Graph, op: Op) -> int:
    """How many output channels a depthwise convolution makes of each input channel."""
    if op.name != "DEPTHWISE_CONV_2D":
        return 1
    return int(graph.tensors[op.inputs[1]].shape[3] // graph.tensors[op.inputs[0]].shape[3])


def sharing(graph: Graph, op: Op) -> tuple[Any, ...]:
    """What operators have in common that are calls of one layer.

    Activations may differ, and biases: of an unrolled LSTM one step alone adds it at this place.
    """
    kind = KINDS[op.name]
    options = {k: v for k, v in op.options.items() if k not in _NOT_OF_THE_LAYER}
    channels = graph.tensors[op.inputs[kind.x]].shape[-1] if len(kind.order) > 2 else 0
    sizes = graph.tensors[op.outputs[0]].shape if op.name == "TRANSPOSE_CONV" else ()
    parts = (op.name, op.inputs[kind.kernel], channels, sizes)
    return (*parts, tuple(sorted(options.items(), key=str)))


def normalised(kind: Kind, kernel: Array) -> tuple[Array, Array]:
    """The flatbuffer's kernel over the largest magnitude of each output channel, and that."""
    others = tuple(axis for axis in range(kernel.ndim) if axis != kind.channel)
    largest = np.abs(kernel).max(axis=others)
    largest = np.where(largest > 0, largest, np.float32(1))  # a dead channel stays as it is
    return kernel / largest.reshape(kind.per_channel(kernel)), largest
