"""Random int8 networks with channels that are constant or that nothing reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from made_tflite import Made, Step, build, conv_options, options

ACTIVATIONS = schema.ActivationFunctionType
SAME, VALID = schema.Padding.SAME, schema.Padding.VALID
NONE, RELU, RELU6 = ACTIVATIONS.NONE, ACTIVATIONS.RELU, ACTIVATIONS.RELU6


class Chain:
    """A network that grows layer by layer, each on the last activation.

    Args:
        shape: Of the input, (1, height, width, channels).
        seed: Of weights, scales and zero points.
    """

    def __init__(self, shape: tuple[int, int, int, int], seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.tensors = [Made("x", shape, "INT8", None, (0.05,), (int(self.rng.integers(-9, 9)),))]
        self.steps: list[Step] = []
        self.last = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensors[self.last].shape)

    def conv(self, channels: int, kernel: tuple[int, int] = (1, 1), **how: Any) -> Chain:
        """CONV_2D; `dead` outputs have no weights, `unread` inputs neither."""
        weights = self._weights((channels, *kernel, self.shape[3]))
        weights[how.get("dead", [])] = 0
        weights[..., how.get("unread", [])] = 0
        return self._convolution("CONV_2D", weights, channels, 0, how)

    def depthwise(self, kernel: tuple[int, int] = (3, 3), many: int = 1, **how: Any) -> Chain:
        """DEPTHWISE_CONV_2D with `many` outputs a channel."""
        channels = self.shape[3] * many
        weights = self._weights((1, *kernel, channels))
        weights[..., how.get("dead", [])] = 0
        return self._convolution("DEPTHWISE_CONV_2D", weights, channels, 3, {**how, "many": many})

    def dense(self, outputs: int) -> Chain:
        """RESHAPE to a row and FULLY_CONNECTED."""
        depth = int(np.prod(self.shape))
        shape = self._add(Made("", (2,), "INT32", np.array([1, depth], np.int32)))
        flat = self._activation((1, depth), like=self.last)
        self.steps.append(Step("RESHAPE", (self.last, shape), (flat,), options("Reshape")))
        weights = self._add(self._quantized(self._weights((outputs, depth)), 1, 0))
        out = self._activation((1, outputs))
        step = Step("FULLY_CONNECTED", (flat, weights), (out,), options("FullyConnected"))
        return self._done(step, out)

    def add(self, other: int, activation: int = NONE) -> Chain:
        """ADD of tensor number `other`."""
        out = self._activation(self.shape)
        made = options("Add", fusedActivationFunction=activation)
        return self._done(Step("ADD", (self.last, other), (out,), made), out)

    def pool(self, kind: str = "AVERAGE", size: int = 2, stride: int = 2) -> Chain:
        """A pool with padding."""
        _, height, width, channels = self.shape
        sizes = -(-height // stride), -(-width // stride)
        out = self._activation((1, *sizes, channels), like=self.last)
        made = options(
            "Pool2D", filterHeight=size, filterWidth=size, strideH=stride, strideW=stride,
            padding=SAME,
        )  # fmt: skip
        return self._done(Step(f"{kind}_POOL_2D", (self.last,), (out,), made), out)

    def mean(self) -> Chain:
        """MEAN of rows and columns."""
        axes = self._add(Made("", (2,), "INT32", np.array([1, 2], np.int32)))
        out = self._activation((1, self.shape[3]))
        step = Step("MEAN", (self.last, axes), (out,), options("Reducer", keepDims=False))
        return self._done(step, out)

    def scale(self, by: int | None = None) -> Chain:
        """MUL by a constant for each channel, or by tensor number `by`."""
        if by is None:
            factors = self._weights((self.shape[-1],))
            by = self._add(Made("", factors.shape, "INT8", factors, (0.01,), (3,)))
        out = self._activation(self.shape)
        return self._done(Step("MUL", (self.last, by), (out,), options("Mul")), out)

    def resize(self, kind: str = "NEAREST_NEIGHBOR") -> Chain:
        """RESIZE to twice the rows and columns."""
        _, height, width, channels = self.shape
        size = self._add(Made("", (2,), "INT32", np.array([2 * height, 2 * width], np.int32)))
        out = self._activation((1, 2 * height, 2 * width, channels), like=self.last)
        made = options("ResizeNearestNeighbor" if kind[0] == "N" else "ResizeBilinear")
        return self._done(Step(f"RESIZE_{kind}", (self.last, size), (out,), made), out)

    def relu(self) -> Chain:
        """RELU without a change of scale."""
        out = self._activation(self.shape, like=self.last)
        return self._done(Step("RELU", (self.last,), (out,)), out)

    def pad(self, *pads: tuple[int, int]) -> Chain:
        """PAD, (before, after) for each axis."""
        table = self._add(Made("", (len(pads), 2), "INT32", np.array(pads, np.int32)))
        sizes = [size + sum(pad) for size, pad in zip(self.shape, pads, strict=True)]
        out = self._activation(sizes, like=self.last)
        return self._done(Step("PAD", (self.last, table), (out,), options("Pad")), out)

    def model(self, *more: int) -> bytes:
        """The file; its outputs are the last activation and `more`."""
        named = [*self.tensors]
        for number, tensor in enumerate(named):
            tensor.name = tensor.name or f"t{number}"
        return build(named, self.steps, (0,), (self.last, *more))

    def _convolution(
        self, name: str, weights: np.ndarray, channels: int, axis: int, how: dict[str, Any]
    ) -> Chain:
        _, height, width, _ = self.shape
        stride, same = how.get("stride", 1), how.get("same", True)
        sizes = [
            -(-size // stride) if same else (size - taps + stride) // stride
            for size, taps in zip((height, width), weights.shape[1:3], strict=True)
        ]
        kernel = self._add(self._quantized(weights, channels, axis))
        bias = self.rng.integers(-2000, 2000, channels).astype(np.int32)
        zeros = (0,) * channels
        scale = (0.001,) * channels
        biases = self._add(Made("", (channels,), "INT32", bias, scale, zeros))
        out = self._activation((1, *sizes, channels))
        common = {
            "strideW": stride, "strideH": stride, "padding": SAME if same else VALID,
            "fusedActivationFunction": how.get("activation", NONE),
        }  # fmt: skip
        made = (
            conv_options(**common)
            if axis == 0
            else options("DepthwiseConv2D", dilationWFactor=1, dilationHFactor=1,
                         depthMultiplier=how["many"], **common)
        )  # fmt: skip
        return self._done(Step(name, (self.last, kernel, biases), (out,), made), out)

    def _done(self, step: Step, out: int) -> Chain:
        self.steps.append(step)
        self.last = out
        return self

    def _add(self, tensor: Made) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def _activation(self, shape: Any, like: int | None = None) -> int:
        scale, zero = (float(self.rng.uniform(0.05, 0.2)),), (int(self.rng.integers(-60, 60)),)
        if like is not None:
            scale, zero = tuple(self.tensors[like].scale), tuple(self.tensors[like].zero)
        return self._add(Made("", tuple(shape), "INT8", None, scale, zero))

    def _quantized(self, weights: np.ndarray, scales: int, axis: int) -> Made:
        scale = tuple(self.rng.uniform(0.002, 0.02, scales).tolist())
        return Made("", weights.shape, "INT8", weights, scale, (0,) * scales, axis)

    def _weights(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.rng.integers(-127, 128, shape).astype(np.int8)


def random_chain(seed: int) -> bytes:
    """A chain of convolutions in which about a third of all channels is dead or unread."""
    rng = np.random.default_rng(seed)
    height, width, channels = (int(size) for size in rng.integers(2, 8, 3))
    net = Chain((1, height, width, channels), seed)
    for _ in range(int(rng.integers(2, 6))):
        _grow(net, rng)
    if rng.random() < 0.3:
        return net.model()
    return net.dense(int(rng.integers(1, 6))).model()


def _grow(net: Chain, rng: np.random.Generator) -> None:
    kinds = ["conv", "conv", "depthwise", "depthwise", "residual", "pool", "relu", "scale"]
    kind = rng.choice(kinds)
    how = {
        "stride": int(rng.choice([1, 1, 2])),
        "activation": int(rng.choice([NONE, RELU, RELU6])),
    }
    _, height, width, channels = net.shape
    side = int(rng.choice([1, 2, 3]))
    how["same"] = bool(rng.random() < 0.7 or side > min(height, width))
    if kind == "conv":
        wanted = int(rng.integers(1, 10))
        net.conv(wanted, (side, side), dead=_some(rng, wanted), unread=_some(rng, channels), **how)
    elif kind == "depthwise":
        many = int(rng.choice([1, 1, 2]))
        net.depthwise((side, side), many, dead=_some(rng, channels * many), **how)
    elif kind == "residual":
        before = net.last
        net.conv(channels, (side, side), dead=_some(rng, channels)).add(before, how["activation"])
    elif kind == "pool":
        net.pool(str(rng.choice(["AVERAGE", "MAX"])), side, how["stride"])
    elif kind == "scale":
        net.scale()
    else:
        net.relu()


def _some(rng: np.random.Generator, count: int) -> list[int]:
    return np.flatnonzero(rng.random(count) < 0.3).tolist()
