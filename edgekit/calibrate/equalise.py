"""Cross-layer equalisation: move a channel's scale from one layer's weights into the next one's.

Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019,
section 4.1. For two layers with a RELU or nothing between them, channel i of the first is divided
by s_i and its reader multiplied by s_i: the float function stays the same, channels come to share
one range. The paper balances the weights of both, s_i = sqrt(r1_i / r2_i). TensorFlow Lite gives
weights a scale per output channel, so the first layer's need no help; the activation between has
one scale. r1 is therefore the activation's range per channel on calibration data, and a depthwise
reader, which has a scale per channel itself, counts as balanced: s_i = r1_i. A RELU6 does not
commute with a scale: such pairs are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from edgekit.calibrate.interpret import Interpreter, Rows
from edgekit.calibrate.layers import OUTPUT_AXIS, Layer, Net
from edgekit.errors import ModelError
from edgekit.graph import edit

REACH = 32.0  # channels smaller than the largest by more are not raised further: what is quiet on
# calibration data may speak up later, and would be clipped
ROWS = 64  # the ranges over these are good enough: they set no scale, they only balance
TOLERANCE = 1e-4  # of the outputs' range
PROOF_ROWS = 8
NONE, RELU = 0, 1  # ActivationFunctionType
# Ops that a positive scale per channel passes through unchanged.
CARRIERS = ("RELU", "RELU6", "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", "MEAN", "RESHAPE")


@dataclass(frozen=True)
class Equalised:
    """What came out.

    Attributes:
        tflite: The float flatbuffer; the same function.
        pairs: Names of the first layers of the pairs that were equalised.
        skipped: Names of those with a RELU6 or another activation in the way.
    """

    tflite: bytes
    pairs: tuple[str, ...]
    skipped: tuple[str, ...]


def equalise(tflite: bytes, rows: Rows) -> Equalised:
    """Equalise all pairs of a float flatbuffer, by activation ranges over some of `rows`."""
    net = Net(edit.unpack(tflite))
    pairs, skipped = find_pairs(net)
    weights = {
        index: _constant(net, index)
        for pair in pairs
        for layer in pair
        for index in (layer.weights, layer.bias)
        if index >= 0
    }
    peaks = _peaks(tflite, [first.output for first, _ in pairs], rows)
    for first, second in pairs:
        _balance(first, second, weights, peaks[first.output])
    for index, values in weights.items():
        edit.set_constant(net.model, net.graph.tensors[index], values.astype(np.float32))
    return Equalised(
        edit.pack(net.model) if pairs else tflite,
        tuple(net.name(first.output) for first, _ in pairs),
        skipped,
    )


def difference(before: bytes, after: bytes, rows: Rows, limit: int = PROOF_ROWS) -> float:
    """Largest difference of the outputs over some rows, relative to the outputs' range.

    Raises:
        ModelError: It is above `TOLERANCE`: the two are not the same function.
    """
    one, other = Interpreter(before), Interpreter(after)
    worst, largest = 0.0, 1.0
    for row in islice(rows(), limit):
        for want, got in zip(one.run(row), other.run(row), strict=True):
            worst = max(worst, float(np.abs(want - got).max(initial=0)))
            largest = max(largest, float(np.abs(want).max(initial=0)))
    if not worst / largest <= TOLERANCE:
        raise ModelError(
            f"equalisation changes the float model by {worst / largest:.1e} of its output range",
            "build with equalise = 'off'",
        )
    return worst / largest


def find_pairs(net: Net) -> tuple[list[tuple[Layer, Layer]], tuple[str, ...]]:
    """Pairs of layers that can be equalised, and the names of those an activation forbids."""
    by_output = {layer.output: layer for layer in net.layers}
    pairs, skipped = [], []
    for first in net.layers:
        target, commutes = _follow(net, first)
        second = by_output.get(int(target.outputs[0])) if target is not None else None
        if second is None or not _fits(net, first, second):
            continue
        if commutes:
            pairs.append((first, second))
        else:
            skipped.append(net.name(first.output))
    return pairs, tuple(skipped)


def _follow(net: Net, first: Layer) -> tuple[Any, bool]:
    """The layer that alone reads `first`, through carriers, and whether a scale passes to it."""
    tensor, commutes = first.output, first.activation in (NONE, RELU)
    while net.readers[tensor] == 1 and tensor in net.reader:
        operator = net.reader[tensor]
        kind = net.kind(operator)
        if int(operator.inputs[0]) != tensor:
            break
        if kind in OUTPUT_AXIS:
            return operator, commutes
        if kind not in CARRIERS or not _keeps_channels(net, operator, kind):
            break
        fused = getattr(operator.builtinOptions, "fusedActivationFunction", NONE)
        commutes = commutes and kind != "RELU6" and fused in (NONE, RELU)
        tensor = int(operator.outputs[0])
    return None, False


def _keeps_channels(net: Net, operator: Any, kind: str) -> bool:
    before = [int(n) for n in net.graph.tensors[operator.inputs[0]].shape]
    after = [int(n) for n in net.graph.tensors[operator.outputs[0]].shape]
    if not before or not after or before[-1] != after[-1]:
        return False
    if kind == "RESHAPE":
        return int(np.prod(after)) == after[-1]
    if kind == "MEAN":
        axes = net.values(int(operator.inputs[1]))
        return axes is not None and len(before) - 1 not in axes.ravel() % len(before)
    return True


def _fits(net: Net, first: Layer, second: Layer) -> bool:
    """Float constants of their own, and channels that correspond one to one."""
    for layer in (first, second):
        weights, bias = net.values(layer.weights), net.values(layer.bias)
        if weights is None or weights.dtype != np.float32 or net.readers[layer.weights] > 1:
            return False
        if layer.bias >= 0 and (bias is None or (net.readers[layer.bias] > 1 and bias.any())):
            return False
    ours, theirs = _constant(net, first.weights), _constant(net, second.weights)
    channels = ours.shape[first.output_axis]
    if second.kind == "DEPTHWISE_CONV_2D":
        return bool(theirs.shape[-1] % channels == 0)
    return bool(theirs.shape[-1] == channels)


def _peaks(tflite: bytes, tensors: list[int], rows: Rows) -> dict[int, np.ndarray]:
    """Tensor index -> largest magnitude of every channel."""
    if not tensors:
        return {}
    interpreter = Interpreter(tflite, keep=True)
    peaks: dict[int, np.ndarray] = {}
    for row in islice(rows(), ROWS):
        interpreter.run(row)
        for index in tensors:
            values = np.abs(interpreter.read(interpreter.graph.tensors[index]))
            peak = values.reshape(-1, values.shape[-1]).max(axis=0).astype(np.float64)
            peaks[index] = np.maximum(peaks.get(index, 0.0), peak)
    return peaks


def _balance(first: Layer, second: Layer, weights: dict[int, np.ndarray], peak: np.ndarray) -> None:
    """Equalise one pair in place; no pair changes what another one is balanced by."""
    ours, theirs = weights[first.weights], weights[second.weights]
    scale = _scales(peak, _columns(second, theirs))
    ours /= np.expand_dims(scale, _others(ours, first.output_axis))
    if first.bias >= 0:
        weights[first.bias] /= scale
    copies = theirs.shape[-1] // scale.size  # the depth multiplier; 1 elsewhere
    theirs *= np.repeat(scale, copies)


def _columns(layer: Layer, weights: np.ndarray) -> np.ndarray | None:
    """How large the weights of each input channel are, relative to their output channel's largest.

    None for a depthwise layer, where every input channel has scales of its own.
    """
    if layer.kind == "DEPTHWISE_CONV_2D":
        return None
    magnitudes = np.abs(weights)
    largest = magnitudes.max(axis=_others(weights, 0), keepdims=True)
    share = np.divide(magnitudes, largest, out=np.zeros_like(magnitudes), where=largest > 0)
    columns: np.ndarray = share.max(axis=_others(weights, weights.ndim - 1))
    return columns


def _scales(peak: np.ndarray, columns: np.ndarray | None) -> np.ndarray:
    """s per channel, of geometric mean 1; exactly 1 for channels that are silent or unread."""
    alive = peak > 0 if columns is None else (peak > 0) & (columns > 0)
    scale = np.ones_like(peak)
    if not alive.any():
        return scale
    ratio = _within_reach(peak[alive])
    if columns is not None:
        ratio = np.sqrt(ratio / _within_reach(columns[alive]))
    scale[alive] = ratio / np.exp(np.log(ratio).mean())
    return scale


def _within_reach(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, values.max() / REACH)


def _others(weights: np.ndarray, axis: int) -> tuple[int, ...]:
    return tuple(other for other in range(weights.ndim) if other != axis)


def _constant(net: Net, index: int) -> np.ndarray:
    values = net.values(index)
    if values is None:
        raise ModelError(f"tensor '{net.name(index)}' has no values", "report this model")
    return values.astype(np.float64)
