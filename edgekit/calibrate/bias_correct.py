"""Bias correction: take out through the int32 bias what rounding the weights does to the mean.

Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019,
section 4.2: the expected error of a layer's output is dW E[x], with dW the error of the weights.
The paper estimates E[x] from batch normalisation; calibration rows are at hand here, so it is the
mean of the layer's input in the float graph. One pass over some rows corrects all layers. (Their
empirical form, which runs the integer graph layer by layer, was tried: twenty times slower, and
outputs on four networks no closer to the float model's.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from edgekit.calibrate.interpret import Interpreter, Rows
from edgekit.calibrate.layers import Layer, Net
from edgekit.graph import edit

ROWS = 32  # the mean over these is settled


@dataclass(frozen=True)
class Corrected:
    """What came out.

    Attributes:
        tflite: The int8 flatbuffer with corrected biases.
        layers: How many layers were corrected.
    """

    tflite: bytes
    layers: int


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
    expected = means(reference, {_input(there) for _, there in pairs}, rows, limit)
    corrected = 0
    for layer, there in pairs:
        shift = _shift(_weight_error(net, layer, floats, there), expected[_input(there)], layer)
        if shift is not None:
            _subtract(net, layer, shift)
            corrected += 1
    return Corrected(edit.pack(net.model) if corrected else built, corrected)


def means(tflite: bytes, indices: Iterable[int], rows: Rows, limit: int) -> dict[int, np.ndarray]:
    """Mean value of each channel (last axis) of some tensors over the first `limit` rows."""
    interpreter = Interpreter(tflite, keep=True)
    tensors = interpreter.graph.tensors
    sums = {index: np.zeros(tensors[index].shape[-1]) for index in indices}
    count = 0
    for row in islice(rows(), limit):
        interpreter.run(row)
        count += 1
        for index in sums:
            values = interpreter.read(tensors[index]).astype(np.float64)
            sums[index] += values.reshape(-1, values.shape[-1]).mean(axis=0)
    return {index: total / max(count, 1) for index, total in sums.items()}


def _input(layer: Layer) -> int:
    return int(layer.operator.inputs[0])


def _weight_error(net: Net, layer: Layer, floats: Net, there: Layer) -> np.ndarray | None:
    """Integer weights in real units minus the float weights; None where they do not correspond."""
    codes, wanted = net.values(layer.weights), floats.values(there.weights)
    if codes is None or wanted is None or codes.shape != wanted.shape:
        return None
    scale = np.asarray(net.graph.tensors[layer.weights].quantization.scale, np.float64)
    if scale.size > 1:
        shape = [1] * codes.ndim
        shape[layer.output_axis] = -1
        scale = scale.reshape(shape)
    return np.asarray(codes * scale - wanted, np.float64)


def _shift(error: np.ndarray | None, mean: np.ndarray, layer: Layer) -> np.ndarray | None:
    """dW E[x] of each output channel; None for grouped convolutions and reshaped inputs."""
    if error is None:
        return None
    if layer.kind == "DEPTHWISE_CONV_2D":
        taps = error.sum(axis=(0, 1, 2))
        if taps.size % mean.size:
            return None
        return np.asarray(taps * np.repeat(mean, taps.size // mean.size))
    taps = error.sum(axis=(1, 2)) if layer.kind == "CONV_2D" else error
    return taps @ mean if taps.shape[1] == mean.size else None


def _matched(built: Net, floats: Net) -> list[tuple[Layer, Layer]]:
    """Integer layers with a bias of their own, and the same layer of the float graph."""
    seen = Counter(floats.name(layer.output) for layer in floats.layers)
    places = {floats.name(layer.output): layer for layer in floats.layers}
    found = []
    for layer in built.layers:
        name = built.name(_public(built, layer.output))
        if seen[name] == 1 and _correctable(built, layer) and places[name].kind == layer.kind:
            found.append((layer, places[name]))
    return found


def _correctable(net: Net, layer: Layer) -> bool:
    return (
        layer.bias >= 0
        and net.readers[layer.bias] == 1
        and edit.tensor_type(net.graph.tensors[layer.bias]) in ("INT32", "INT64")
        and edit.tensor_type(net.graph.tensors[layer.output]) in ("INT8", "INT16")
    )


def _public(net: Net, index: int) -> int:
    """The tensor that keeps the float name: what a converter op makes of an output of the model."""
    operator = net.reader.get(index)
    if operator is not None and net.kind(operator) in ("QUANTIZE", "DEQUANTIZE"):
        converted = int(operator.outputs[0])
        return converted if converted in map(int, net.graph.outputs) else index
    return index


def _subtract(net: Net, layer: Layer, shift: np.ndarray) -> None:
    """Lower the bias by `shift`, in real units; its scale is s_in * s_w of the channel."""
    tensor = net.graph.tensors[layer.bias]
    bias = edit.constant(net.model, tensor)
    if bias is None:
        return
    steps = np.round(shift / np.asarray(tensor.quantization.scale, np.float64))
    limits = np.iinfo(bias.dtype)
    corrected = np.clip(bias.astype(np.float64) - steps, limits.min, limits.max)
    edit.set_constant(net.model, tensor, corrected.astype(bias.dtype))
