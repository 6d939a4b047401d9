"""Small float networks as flatbuffers, and what quantizers need around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hand_made import O, T, flatbuffer

from edgekit.calibrate.interpret import Judge
from edgekit.graph.read import read
from edgekit.model import Model, Source, TensorSpec

NONE, RELU, RELU6 = 0, 1, 3
Rows = Callable[[], Iterator[tuple[np.ndarray, ...]]]


def as_model(tflite: bytes, name: str = "net") -> Model:
    """The model that an importer would have made of the flatbuffer."""
    graph = read(tflite)
    inputs, outputs = (
        tuple(TensorSpec(t.name, t.shape, t.dtype) for t in tensors)
        for tensors in (graph.input_tensors(), graph.output_tensors())
    )
    return Model(name, Source(Path(f"{name}.tflite"), "", "tflite", 0), tflite, inputs, outputs)


def rows_of(values: Iterable[np.ndarray]) -> Rows:
    """A factory of one-input rows of batch 1."""
    kept = [np.asarray(value, np.float32)[None] for value in values]
    return lambda: ((value,) for value in kept)


def sqnr(reference: bytes, built: bytes, rows: Rows) -> float:
    """Closeness of `built` to `reference` on `rows` in dB."""
    return Judge(reference, rows).sqnr(built)


class Net:
    """Builds a chain of layers over an NHWC or flat input."""

    def __init__(self, *shape: int) -> None:
        self.tensors = [T("input", (1, *shape))]
        self.ops: list[O] = []

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensors[self.last].shape

    last = 0

    def conv(self, weights: np.ndarray, bias: Any = None, activation: int = RELU) -> Net:
        """`weights` [out, h, w, in]; SAME padding."""
        options = {"strideW": 1, "strideH": 1, "fusedActivationFunction": activation}
        return self._layer("CONV_2D", weights, bias, weights.shape[0], ("Conv2DOptions", options))

    def depthwise(self, weights: np.ndarray, bias: Any = None, activation: int = RELU) -> Net:
        """`weights` [1, h, w, channels]; SAME padding."""
        options = {"strideW": 1, "strideH": 1, "fusedActivationFunction": activation}
        options |= {"depthMultiplier": weights.shape[3] // self.shape[-1]}
        kind = ("DepthwiseConv2DOptions", options)
        return self._layer("DEPTHWISE_CONV_2D", weights, bias, weights.shape[3], kind)

    def dense(self, weights: np.ndarray, bias: Any = None, activation: int = NONE) -> Net:
        """`weights` [out, in]."""
        kind = ("FullyConnectedOptions", {"fusedActivationFunction": activation})
        return self._layer("FULLY_CONNECTED", weights, bias, weights.shape[0], kind)

    def op(self, name: str, shape: tuple[int, ...], options: Any = None) -> Net:
        """An op of one input without constants."""
        return self._append(name, (self.last,), shape, options)

    def mean(self) -> Net:
        """Global average pooling."""
        self.tensors.append(T("axes", (2,), "INT32", np.array([1, 2], np.int32)))
        inputs = (self.last, len(self.tensors) - 1)
        return self._append("MEAN", inputs, (1, self.shape[-1]), ("ReducerOptions", {}))

    def tflite(self, *outputs: int) -> bytes:
        """The flatbuffer; `outputs` are further outputs besides the last tensor."""
        return flatbuffer(self.tensors, self.ops, (0,), (*outputs, self.last))

    def _layer(self, name: str, weights: np.ndarray, bias: Any, channels: int, kind: Any) -> Net:
        values = np.zeros(channels) if bias is None else np.asarray(bias)
        number = len(self.ops)
        self.tensors.append(T(f"w{number}", weights.shape, data=weights.astype(np.float32)))
        self.tensors.append(T(f"b{number}", (channels,), data=values.astype(np.float32)))
        inputs = (self.last, len(self.tensors) - 2, len(self.tensors) - 1)
        shape = (1, channels) if name == "FULLY_CONNECTED" else (*self.shape[:-1], channels)
        return self._append(name, inputs, shape, kind)

    def _append(self, name: str, inputs: Any, shape: tuple[int, ...], options: Any) -> Net:
        self.tensors.append(T(f"y{len(self.ops)}", shape))
        self.last = len(self.tensors) - 1
        self.ops.append(O(name, tuple(inputs), (self.last,), options))
        return self


def wild_depthwise(activation: int = RELU, seed: int = 0) -> Net:
    """conv -> depthwise -> conv -> mean -> dense, whose channels differ in range by 1000."""
    rng = np.random.default_rng(seed)
    spread = np.exp(rng.uniform(np.log(0.03), np.log(30), 16))
    net = Net(8, 8, 3)
    net.conv(rng.normal(size=(16, 3, 3, 3)) * spread[:, None, None, None], None, activation)
    again = np.exp(rng.uniform(np.log(0.03), np.log(30), 16)) / spread
    net.depthwise(rng.normal(size=(1, 3, 3, 16)) * again, rng.normal(size=16), activation)
    net.conv(rng.normal(size=(8, 1, 1, 16)) / (again * spread), rng.normal(size=8), activation)
    return net.mean().dense(rng.normal(size=(5, 8)))


def outlier_net(seed: int = 0) -> tuple[Net, np.ndarray]:
    """A classifier with a layer that a rare input drives 1000 times as far; and rows for it."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(16, 1, 1, 4)), rng.normal(size=(16, 1, 1, 16)) / 4
    # The last channel is a glitch: of no meaning for the classes, and seen in one place.
    first[:15, ..., 3] = first[15] = second[:, ..., 15] = 0.0
    first[15, ..., 3] = 4000.0
    rows = rng.normal(size=(200, 48, 48, 4)) + rng.normal(size=(200, 1, 1, 4))
    rows[..., 3] = 0.0
    rows[7, 4, 4, 3] = 1.0
    return Net(48, 48, 4).conv(first).conv(second).mean().dense(rng.normal(size=(6, 16))), rows
