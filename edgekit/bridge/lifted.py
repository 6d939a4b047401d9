"""What a lift gives: a model, its layers with weights, and where they are in the flatbuffer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.heads import Head
from edgekit.bridge.weights import KINDS
from edgekit.graph.graph import Op

Form = Literal["normalised", "folded"]


@dataclass(frozen=True, eq=False)
class LiftedLayer:
    """A layer with weights.

    Attributes:
        name: As `layer_names` has it for `op`.
        op: The first operator that uses the weights.
        kind: `Conv2D`, `DepthwiseConv2D`, `Dense`, `Conv2DTranspose` or `Conv3D`.
        layer: Of tf_keras; never a wrapper around it.
        scale: The layer x * scale + bias behind it in the normalised form, else None.
        kernel: Index of the flatbuffer's tensor.
        bias: Index of the flatbuffer's tensor; -1 for none, or where its operators have different
            ones.
        ops: Indices of all operators that use the weights; in an unrolled RNN one a step.
        biases: Where each of several operators has a bias of its own: operator, and the layer that
            adds it. Where only some have one (an unrolled LSTM) it is not trained.
    """

    name: str
    op: Op
    kind: str
    layer: Any
    scale: Any | None
    kernel: int
    bias: int
    ops: tuple[int, ...]
    biases: tuple[tuple[Op, Any], ...] = ()

    @property
    def kernel_variable(self) -> Any:
        """What is trained, in the layer's layout, without the scale."""
        deep = self.kind == "DepthwiseConv2D"
        return self.layer.depthwise_kernel if deep else self.layer.kernel

    def kernel_array(self) -> NDArray[Any]:
        """The kernel in the layer's layout as it will be lowered: with the scale in it."""
        kernel = np.asarray(self.kernel_variable)
        if self.scale is None:
            return kernel
        kind = KINDS[self.op.name]
        stored = kind.to_flatbuffer(kernel)
        stored = stored * np.asarray(self.scale.scale).reshape(kind.per_channel(stored))
        return kind.to_keras(stored, kernel.shape[-1])

    def bias_array(self) -> NDArray[Any] | None:
        """The bias [output channels], None where there is none."""
        bias = (self.scale or self.layer).bias
        return None if bias is None else np.asarray(bias)


@dataclass(frozen=True, eq=False)
class Lifted:
    """A flatbuffer as a model that can be trained.

    A tensor of the flatbuffer is here [batch, *shape], where a leading 1 of its shape is left out:
    [1, 32, 32, 3] is [batch, 32, 32, 3], and [25, 8] is [batch, 25, 8].

    Attributes:
        model: The graph's inputs -> the graph's outputs (of one output, the tensor itself).
        scores: Shares all layers; a last SOFTMAX or LOGISTIC is left out of its outputs.
        heads: What was left out, one for each output.
        layers: Those with weights, in the order of execution.
        activations: Every activation by the flatbuffer's tensor index, as its readers see it.
        data: The flatbuffer.
        exits: So many outputs at the end are earlier answers to what the first one answers.
        exit_weight: Of the loss of each of them, where that of any other is 1.
        watched: Tensors whose activations `penalty` is given.
        penalty: What is added to the loss of a batch.
    """

    model: Any
    scores: Any
    heads: tuple[Head, ...]
    layers: tuple[LiftedLayer, ...]
    activations: Mapping[int, Any]
    data: bytes
    exits: int = 0
    exit_weight: float = 1.0
    watched: tuple[int, ...] = ()
    penalty: Callable[[Sequence[Any]], Any] | None = None


Wrap = Callable[[LiftedLayer], Any]
After = Callable[[int], Any]
