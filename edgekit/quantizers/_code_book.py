"""Kernels of a built file on scales of their own: one integer code book for all channels.

The quantizer scales each output channel by its largest weight, so that the few values of a
clustered kernel become as many integers a channel, and others in every channel. With the scales
that clustering left, they are the same integers everywhere, and the file packs as it should.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.evaluate.matching import match
from edgekit.graph import edit
from edgekit.graph.graph import Graph, Op, Tensor
from edgekit.graph.read import read

LARGEST = 127  # symmetric: -128 is not used
PER_CHANNEL_DENSE = 12  # version of FULLY_CONNECTED with a scale for each channel


@dataclass(frozen=True)
class Places:
    """Where an op has its operands, and which axis of its weights is the output channels'."""

    data: int
    weights: int
    bias: int
    axis: int


PLACES = {
    "CONV_2D": Places(0, 1, 2, 0),
    "DEPTHWISE_CONV_2D": Places(0, 1, 2, 3),
    "FULLY_CONNECTED": Places(0, 1, 2, 0),
    "TRANSPOSE_CONV": Places(2, 1, 3, 0),
}


def rescale(
    tflite: bytes,
    built: bytes,
    scales: Mapping[int, np.ndarray],
    per_channel_dense: bool = True,
) -> bytes:
    """The built file with its kernels, and the biases beside them, on the given scales.

    Args:
        tflite: The float flatbuffer.
        built: Made from it, with int8 kernels and int32 or int64 biases.
        scales: By the tensor index of a kernel of `tflite`: positive, [output channels]; where
            one is 0 (a channel without weights) the file keeps its own.
        per_channel_dense: Whether FULLY_CONNECTED may have a scale for each channel; else those
            that would need them stay as they are.
    """
    if not scales:
        return built
    left, right = read(tflite), read(built)
    makers = {index: op for op in left.ops for index in op.outputs}
    pairs = match(left, right)
    model = edit.unpack(built)
    for op in right.ops:
        mate = makers.get(pairs.get(op.outputs[0], -1)) if op.outputs else None
        if mate is not None and mate.name == op.name and op.name in PLACES:
            scale = np.asarray(scales.get(_weights(mate), ()), np.float64)
            fits = per_channel_dense or op.name != "FULLY_CONNECTED" or len(set(scale)) < 2
            if len(scale) and fits and right.tensors[_weights(op)].dtype == "int8":
                _rewrite(model, left, mate, right, op, scale)
    edit.drop_unused(model)
    return edit.pack(model)


def integers(weights: np.ndarray, scale: np.ndarray, axis: int) -> np.ndarray:
    """float32 weights as int8 with a scale for each channel of `axis`."""
    shape = [1] * weights.ndim
    shape[axis] = -1
    steps = np.round(weights / scale.reshape(shape))
    return np.asarray(np.clip(steps, -LARGEST, LARGEST), np.int8)


def _weights(op: Op) -> int:
    return op.inputs[PLACES[op.name].weights]


def _rewrite(model: Any, left: Graph, mate: Op, right: Graph, op: Op, scale: np.ndarray) -> None:
    places, tensors = PLACES[op.name], model.subgraphs[0].tensors
    values = left.tensors[_weights(mate)].data
    if values is None or values.shape != right.tensors[_weights(op)].shape:
        return
    scale = np.where(scale > 0, scale, _own(right.tensors[_weights(op)], len(scale)))
    target = tensors[_weights(op)]
    edit.set_constant(model, target, integers(values, scale, places.axis))
    shared = op.name == "FULLY_CONNECTED" and len(set(scale)) < 2
    edit.set_scale(target, scale[:1] if shared else scale, 0 if shared else places.axis)
    if op.name == "FULLY_CONNECTED" and not shared:
        version = max(op.version, PER_CHANNEL_DENSE)
        code = edit.operator_code(model, op.name, version)
        model.subgraphs[0].operators[op.index].opcodeIndex = code
    stored = _bias(right, op)
    if stored is not None:
        bias = _bias(left, mate)
        step = _own(right.tensors[op.inputs[places.data]], 1) * scale
        _set_bias(model, stored, bias.data if bias else None, step[:1] if shared else step)


def _bias(graph: Graph, op: Op) -> Tensor | None:
    place = PLACES[op.name].bias
    present = len(op.inputs) > place and op.inputs[place] >= 0
    return graph.tensors[op.inputs[place]] if present else None


def _own(tensor: Tensor, channels: int) -> np.ndarray:
    """The scale that the file has, one for each of `channels`."""
    scale = tensor.quantization.scale if tensor.quantization is not None else np.ones(1)
    return np.broadcast_to(np.asarray(scale, np.float64), (channels,))


def _set_bias(model: Any, tensor: Tensor, bias: np.ndarray | None, step: np.ndarray) -> None:
    """The real `bias` in steps of input scale times weight scale, in the tensor's own type."""
    target = model.subgraphs[0].tensors[tensor.index]
    limits = np.iinfo(tensor.dtype)
    steps = np.round((np.zeros(tensor.shape) if bias is None else bias).reshape(-1) / step)
    # int32 does not reach where a channel's weights vanish; clipped, it is what the file can say
    values = np.clip(steps, limits.min, limits.max).astype(tensor.dtype)
    edit.set_constant(model, target, values.reshape(tensor.shape))
    edit.set_scale(target, step, 0)
