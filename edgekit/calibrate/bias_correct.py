"""Bias correction: take the mean error of every channel out through the int32 bias.

Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019,
section 4.2, the empirical form: layer by layer in topological order, the mean output of the int8
graph is compared with the float graph's on calibration rows. A fused RELU hides what comes before
it; there the difference of the means is divided by the share of outputs that are active, which is
the derivative of that mean by the bias.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from edgekit.calibrate.interpret import Interpreter, Rows
from edgekit.calibrate.layers import Layer, Net
from edgekit.graph import edit

ROWS = 32  # one pass per layer, and the mean over these is settled
ACTIVE = 0.05  # share of active outputs below which a channel is left alone
TOP = {0: np.inf, 1: np.inf, 3: 6.0}  # ActivationFunctionType NONE, RELU, RELU6 -> upper bound


@dataclass(frozen=True)
class Corrected:
    """What came out.

    Attributes:
        tflite: The int8 flatbuffer with corrected biases.
        layers: How many layers were corrected.
        largest: Largest correction of a channel, in units of the layer's output.
    """

    tflite: bytes
    layers: int
    largest: float


@dataclass(frozen=True)
class Means:
    """Of one layer's output, per channel: mean value, and share of outputs that are active."""

    value: np.ndarray
    active: np.ndarray


def bias_correct(reference: bytes, built: bytes, rows: Rows, limit: int = ROWS) -> Corrected:
    """Correct the biases of `built` against the float flatbuffer `reference`.

    Args:
        reference: The float flatbuffer that was quantized.
        built: Its int8 flatbuffer; layers are matched by the names of their outputs.
        rows: Calibration rows; the first `limit` are used.
        limit: Most rows to use.
    """
    net, floats = Net(edit.unpack(built)), Net(edit.unpack(reference))
    pairs = _matched(net, floats)
    bounds = {there: TOP[layer.activation] for layer, there in pairs}
    wanted = means(reference, bounds, rows, limit)
    largest = 0.0
    for layer, there in pairs:
        got = means(edit.pack(net.model), {layer.output: bounds[there]}, rows, limit)
        error = got[layer.output].value - wanted[there].value
        active = np.ones_like(error) if layer.activation == 0 else wanted[there].active
        shift = np.divide(error, active, out=np.zeros_like(error), where=active >= ACTIVE)
        _subtract(net, layer, shift)
        largest = max(largest, float(np.abs(shift).max(initial=0)))
    return Corrected(edit.pack(net.model) if pairs else built, len(pairs), largest)


def means(tflite: bytes, bounds: Mapping[int, float], rows: Rows, limit: int) -> dict[int, Means]:
    """Per channel means of the tensors in `bounds` (index -> upper end of the activation)."""
    interpreter = Interpreter(tflite, keep=True)
    tensors = interpreter.graph.tensors
    sums: dict[int, list[Any]] = {index: [0.0, 0.0, 0] for index in bounds}
    for row in islice(rows(), limit):
        interpreter.run(row)
        for index, bound in bounds.items():
            values = interpreter.read(tensors[index]).astype(np.float64)
            flat = values.reshape(-1, values.shape[-1])
            sums[index][0] += flat.sum(axis=0)
            sums[index][1] += ((flat > 0) & (flat < bound)).sum(axis=0)
            sums[index][2] += len(flat)
    return {index: Means(value / n, active / n) for index, (value, active, n) in sums.items()}


def _matched(built: Net, floats: Net) -> list[tuple[Layer, int]]:
    """Int8 layers with a bias of their own, and their output's index in the float graph."""
    places = _unique(floats)
    found = []
    for layer in built.layers:
        there = places.get(built.name(_public(built, layer.output)))
        if there is None or layer.activation not in TOP or not _correctable(built, layer):
            continue
        shapes = (built.graph.tensors[layer.output].shape, floats.graph.tensors[there].shape)
        if np.array_equal(*shapes):
            found.append((layer, there))
    return found


def _correctable(net: Net, layer: Layer) -> bool:
    return (
        layer.bias >= 0
        and net.readers[layer.bias] == 1
        and edit.tensor_type(net.graph.tensors[layer.bias]) == "INT32"
        and edit.tensor_type(net.graph.tensors[layer.output]) == "INT8"
    )


def _public(net: Net, index: int) -> int:
    """The tensor that keeps the float name: what a converter op makes of an output of the model."""
    operator = net.reader.get(index)
    if operator is not None and net.kind(operator) in ("QUANTIZE", "DEQUANTIZE"):
        return int(operator.outputs[0])
    return index


def _unique(net: Net) -> dict[str, int]:
    """Index of every tensor whose name no other one has."""
    names = [edit.tensor_name(tensor) for tensor in net.graph.tensors]
    seen = Counter(names)
    return {name: index for index, name in enumerate(names) if seen[name] == 1}


def _subtract(net: Net, layer: Layer, shift: np.ndarray) -> None:
    """Lower the bias by `shift`, in real units; its scale is s_in * s_w of the channel."""
    tensor = net.graph.tensors[layer.bias]
    bias = edit.constant(net.model, tensor)
    if bias is None:
        return
    steps = np.round(shift / np.asarray(tensor.quantization.scale, np.float64))
    limits = np.iinfo(np.int32)
    corrected = np.clip(bias.astype(np.float64) - steps, limits.min, limits.max)
    edit.set_constant(net.model, tensor, corrected.astype(np.int32))
