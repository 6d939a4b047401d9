"""Random small float networks by a number: branches that meet, pools, several outputs, series."""

from __future__ import annotations

from typing import Any

import numpy as np
from hand_made import O, T, flatbuffer

NONE, RELU, RELU6 = 0, 1, 3
SAME = 0
Shape = tuple[int, ...]


class Grown:
    """A network that grows from its input; every operator takes activations by tensor index.

    Args:
        seed: Of all choices and weights.
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.tensors: list[T] = []
        self.ops: list[O] = []

    def shape(self, index: int) -> Shape:
        return self.tensors[index].shape

    def tensor(self, shape: Shape, data: Any = None, dtype: str = "FLOAT32") -> int:
        name = f"t{len(self.tensors)}" if data is None else f"c{len(self.tensors)}"
        self.tensors.append(T(name, shape, dtype, data))
        return len(self.tensors) - 1

    def integers(self, *values: int) -> int:
        return self.tensor((len(values),), np.array(values, np.int32), "INT32")

    def op(self, name: str, inputs: tuple[int, ...], shape: Shape, options: Any = None) -> int:
        output = self.tensor(shape)
        self.ops.append(O(name, inputs, (output,), options))
        return output

    def weights(self, shape: Shape, fan_in: int) -> int:
        values = self.rng.normal(size=shape) * np.sqrt(2 / fan_in)
        return self.tensor(shape, values.astype(np.float32))

    def bias(self, channels: int) -> int:
        return self.tensor((channels,), self.rng.normal(size=channels).astype(np.float32) / 4)

    def activation(self) -> int:
        return int(self.rng.choice([NONE, RELU, RELU, RELU6]))

    def conv(self, x: int, channels: int, kernel: tuple[int, int], stride: int = 1) -> int:
        _, height, width, depth = self.shape(x)
        weights = self.weights((channels, *kernel, depth), depth * kernel[0] * kernel[1])
        shape = (1, -(-height // stride), -(-width // stride), channels)
        options = self._strides(stride) | {"fusedActivationFunction": self.activation()}
        kind = ("Conv2DOptions", options)
        return self.op("CONV_2D", (x, weights, self.bias(channels)), shape, kind)

    def depthwise(self, x: int, kernel: tuple[int, int], many: int = 1) -> int:
        *places, depth = self.shape(x)
        weights = self.weights((1, *kernel, depth * many), kernel[0] * kernel[1])
        options = self._strides(1) | {
            "depthMultiplier": many,
            "fusedActivationFunction": self.activation(),
        }
        inputs = (x, weights, self.bias(depth * many))
        shape = (*places, depth * many)
        return self.op("DEPTHWISE_CONV_2D", inputs, shape, ("DepthwiseConv2DOptions", options))

    def dense(self, x: int, units: int, activation: int = NONE) -> int:
        width = self.shape(x)[-1]
        inputs = (x, self.weights((units, width), width), self.bias(units))
        options = {"fusedActivationFunction": activation}
        return self.op("FULLY_CONNECTED", inputs, (1, units), ("FullyConnectedOptions", options))

    def add(self, left: int, right: int) -> int:
        options = {"fusedActivationFunction": self.activation()}
        return self.op("ADD", (left, right), self.shape(left), ("AddOptions", options))

    def concat(self, *parts: int) -> int:
        *places, _ = self.shape(parts[0])
        shape = (*places, sum(self.shape(part)[-1] for part in parts))
        return self.op("CONCATENATION", parts, shape, ("ConcatenationOptions", {"axis": 3}))

    def pool(self, x: int, kind: str) -> int:
        _, height, width, depth = self.shape(x)
        size = 2 if width > 1 else 1
        shape = (1, -(-height // 2), -(-width // size), depth)
        options = {"filterHeight": 2, "filterWidth": size, "strideH": 2, "strideW": size}
        return self.op(f"{kind}_POOL_2D", (x,), shape, ("Pool2DOptions", options))

    def flat(self, x: int) -> int:
        """To [1, n]: by a reshape, or by the mean over places."""
        _, height, width, depth = self.shape(x)
        if self.rng.random() < 0.4 and height * width * depth <= 400:
            size = height * width * depth
            options = ("ReshapeOptions", {"newShape": [1, size]})
            return self.op("RESHAPE", (x, self.integers(1, size)), (1, size), options)
        inputs = (x, self.integers(1, 2))
        return self.op("MEAN", inputs, (1, depth), ("ReducerOptions", {"keepDims": False}))

    def softmax(self, x: int) -> int:
        return self.op("SOFTMAX", (x,), self.shape(x), ("SoftmaxOptions", {"beta": 1.0}))

    def model(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> bytes:
        return flatbuffer(self.tensors, self.ops, inputs, outputs)

    @staticmethod
    def _strides(stride: int) -> dict[str, int]:
        return {"padding": SAME, "strideH": stride, "strideW": stride}


def random_net(seed: int) -> bytes:
    """Network number `seed`: pictures, series and plain vectors come in turn."""
    kind = (_picture, _picture, _series, _vector)[seed % 4]
    return kind(Grown(seed))


def _picture(net: Grown) -> bytes:
    entry = net.tensor((1, *map(int, net.rng.integers(5, 10, 2)), int(net.rng.integers(1, 4))))
    x = net.conv(entry, int(net.rng.integers(4, 9)), (3, 3), int(net.rng.integers(1, 3)))
    return _ended(net, entry, _grown(net, x, (3, 3)))


def _series(net: Grown) -> bytes:
    """As converters make a Conv1D: a picture one column wide."""
    steps, depth = map(int, net.rng.integers((8, 1), (20, 6)))
    entry = net.tensor((1, steps, depth))
    wide = net.integers(1, steps, 1, depth)
    x = net.op("RESHAPE", (entry, wide), (1, steps, 1, depth), ("ReshapeOptions", {}))
    x = net.conv(x, int(net.rng.integers(4, 9)), (3, 1))
    return _ended(net, entry, _grown(net, x, (3, 1)))


def _vector(net: Grown) -> bytes:
    entry = x = net.tensor((1, int(net.rng.integers(6, 24))))
    for _ in range(int(net.rng.integers(1, 4))):
        x = net.dense(x, int(net.rng.integers(4, 20)), RELU)
        if net.rng.random() < 0.3:
            x = net.add(x, net.dense(x, net.shape(x)[-1], RELU))
    return _ended(net, entry, x)


def _grown(net: Grown, x: int, kernel: tuple[int, int]) -> int:
    for _ in range(int(net.rng.integers(1, 4))):
        depth, step = net.shape(x)[-1], int(net.rng.integers(0, 6))
        if step == 0:
            x = net.conv(x, int(net.rng.integers(4, 10)), kernel)
        elif step == 1:
            x = net.conv(net.depthwise(x, kernel), int(net.rng.integers(4, 10)), (1, 1))
        elif step == 2:
            x = net.add(x, net.conv(net.conv(x, 2 * depth, (1, 1)), depth, kernel))
        elif step == 3:
            x = net.concat(net.conv(x, int(net.rng.integers(2, 6)), kernel), x)
        elif step == 4:
            x = net.pool(x, str(net.rng.choice(["AVERAGE", "MAX"])))
        else:
            x = net.depthwise(x, kernel, int(net.rng.integers(1, 3)))
    return x


def _ended(net: Grown, entry: int, x: int) -> bytes:
    """Dense layers, and sometimes a second output beside the first."""
    x = x if len(net.shape(x)) == 2 else net.flat(x)
    outputs = [net.dense(x, int(net.rng.integers(2, 7)))]
    if net.rng.random() < 0.5:
        outputs = [net.softmax(outputs[0])]
    if net.rng.random() < 0.3:
        outputs.append(net.dense(net.dense(x, 6, RELU), int(net.rng.integers(1, 4))))
    return net.model((entry,), tuple(outputs))
