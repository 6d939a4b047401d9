"""dynamic: int8 weights, float activations that the runtime quantizes on the fly.

Written on the flatbuffer, so that every source takes one way; op versions, scales and the limit of
1024 elements are the TensorFlow converter's.
https://ai.google.dev/edge/litert/models/post_training_quant
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.calibrate.layers import Net
from edgekit.graph import edit
from edgekit.model import Model
from edgekit.quantizers._code_book import LARGEST, integers
from edgekit.quantizers.base import Base, Quantized, QuantizeOptions, Rows

MINIMUM = 1024  # elements; smaller weights stay float, as the converter has it


@dataclass(frozen=True)
class Hybrid:
    """How an op takes int8 weights with float activations.

    Attributes:
        weights: Which input they are.
        axis: Of the weights' output channels.
        version: Of the op with one scale per channel.
        per_tensor: Of the op with one scale, None where it is the same.
    """

    weights: int
    axis: int
    version: int
    per_tensor: int | None = None


HYBRID = {
    "CONV_2D": Hybrid(1, 0, 5),
    "DEPTHWISE_CONV_2D": Hybrid(1, 3, 6),
    "FULLY_CONNECTED": Hybrid(1, 0, 12, 9),
    "TRANSPOSE_CONV": Hybrid(1, 0, 2),
}


class Quantizer(Base):
    """Dynamic range."""

    name = "dynamic"

    def apply(self, model: Model, rows: Rows, options: QuantizeOptions) -> Quantized:
        """Convert the weights; see `Base.quantize`. Calibration rows are not used."""
        net = Net(edit.unpack(model.tflite))
        scales = model.learned.weight_scales if options.per_channel else {}
        for operator in net.graph.operators:
            hybrid = HYBRID.get(net.kind(operator))
            if hybrid is not None:
                _convert(net, operator, hybrid, options, scales)
        edit.drop_unused(net.model)
        edit.drop_stale(net.model)
        return Quantized(edit.pack(net.model))


def _convert(
    net: Net,
    operator: Any,
    hybrid: Hybrid,
    options: QuantizeOptions,
    scales: Mapping[int, np.ndarray],
) -> None:
    kind, index = net.kind(operator), int(operator.inputs[hybrid.weights])
    weights = net.values(index)
    if weights is None or weights.size < MINIMUM or not _alone(net, index, kind, hybrid):
        return
    dense = kind == "FULLY_CONNECTED" and options.disable_per_channel_dense
    per_channel = options.per_channel and not dense
    if weights.dtype == np.float32:  # else another op of the same kind has converted it
        if per_channel and index in scales:
            scale = np.where(scales[index] > 0, scales[index], 1.0)
            values = integers(weights, scale, hybrid.axis)
        else:
            values, scale = quantize_weights(weights, hybrid.axis if per_channel else None)
        tensor = net.graph.tensors[index]
        edit.set_constant(net.model, tensor, values)
        edit.set_scale(tensor, scale, hybrid.axis if per_channel else 0)
    version = hybrid.version if per_channel else hybrid.per_tensor or hybrid.version
    operator.opcodeIndex = edit.operator_code(net.model, kind, version)
    if hasattr(operator.builtinOptions, "asymmetricQuantizeInputs"):
        operator.builtinOptions.asymmetricQuantizeInputs = True


def quantize_weights(weights: np.ndarray, axis: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric int8 weights and their scales.

    Args:
        weights: float32.
        axis: Of the channels that get a scale each; None: one for all.

    Returns:
        int8 of the same shape, and float32 [channels] or [1]; weights = int8 * scale.
    """
    others = tuple(i for i in range(weights.ndim) if i != axis)
    largest = np.abs(weights).max(axis=others, keepdims=True).astype(np.float32)
    scale = np.where(largest > 0, largest / np.float32(LARGEST), np.float32(1))
    values = np.clip(np.round(weights / scale), -LARGEST, LARGEST).astype(np.int8)
    return values, scale.ravel().astype(np.float32)


def _alone(net: Net, index: int, kind: str, hybrid: Hybrid) -> bool:
    """Whether only ops of this kind read the tensor, all of them as weights."""
    if index in (int(i) for i in net.graph.outputs):
        return False
    return all(
        net.kind(operator) == kind and int(operator.inputs[hybrid.weights]) == index
        for operator in net.graph.operators
        if index in (int(i) for i in operator.inputs)
    )
