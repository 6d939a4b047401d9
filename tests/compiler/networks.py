"""Random int8 networks of many operations that branch and meet: much lies in memory at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from made_tflite import Made, Step, build, options

SCALE: tuple[tuple[float], tuple[int]] = ((0.1,), (-3,))
Image = tuple[int, int, int]


class Net:
    """A graph that grows: images of int8, all of one scale.

    Args:
        seed: Of all choices.
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.tensors: list[Made] = []
        self.steps: list[Step] = []
        self.images: list[tuple[int, Image]] = []
        self.read: set[int] = set()
        for _ in range(int(self.rng.integers(1, 3))):
            self.image((4, 6, 4))
        self.inputs = tuple(number for number, _ in self.images)

    def image(self, size: Image) -> int:
        self.tensors.append(Made(f"t{len(self.tensors)}", (1, *size), "INT8", None, *SCALE))
        self.images.append((len(self.tensors) - 1, size))
        return len(self.tensors) - 1

    def integers(self, values: Any) -> int:
        array = np.array(values, np.int32)
        self.tensors.append(Made(f"c{len(self.tensors)}", array.shape, "INT32", array))
        return len(self.tensors) - 1

    def pick(self) -> tuple[int, Image]:
        return self.images[int(self.rng.integers(max(0, len(self.images) - 4), len(self.images)))]

    def step(self, name: str, inputs: tuple[int, ...], *sizes: Image, made: Any = None) -> None:
        self.read.update(inputs)
        self.steps.append(Step(name, inputs, tuple(self.image(size) for size in sizes), made))

    def model(self) -> bytes:
        outputs = [n for n, _ in self.images if n not in self.read and n not in self.inputs]
        return build(self.tensors, self.steps, self.inputs, outputs)


def relu(net: Net) -> None:
    source, size = net.pick()
    net.step("RELU", (source,), size)


def pool(net: Net) -> None:
    source, (height, width, depth) = net.pick()
    kind = ("AVERAGE_POOL_2D", "MAX_POOL_2D")[int(net.rng.integers(2))]
    made = options("Pool2D", filterHeight=3, filterWidth=2, strideH=1, strideW=2, padding=0)
    net.step(kind, (source,), (height, -(-width // 2), depth), made=made)


def pad(net: Net) -> None:
    source, (height, width, depth) = net.pick()
    pads = net.integers([[0, 0], [1, 0], [0, 2], [0, 0]])
    net.step("PAD", (source, pads), (height + 1, width + 2, depth))


def add(net: Net) -> None:
    (one, size), (two, other) = net.pick(), net.pick()
    if size == other:
        net.step("ADD", (one, two), size, made=options("Add"))


def scale(net: Net) -> None:
    source, size = net.pick()
    data = net.rng.integers(-128, 128, size[2]).astype(np.int8)
    net.tensors.append(Made(f"k{len(net.tensors)}", (size[2],), "INT8", data, (0.02,), (4,)))
    net.step("MUL", (source, len(net.tensors) - 1), size, made=options("Mul"))


def concatenate(net: Net) -> None:
    (one, size), (two, other) = net.pick(), net.pick()
    axis = int(net.rng.integers(3))
    out = list(size)
    out[axis] += other[axis]
    if all(a == b for k, (a, b) in enumerate(zip(size, other, strict=True)) if k != axis):
        made = options("Concatenation", axis=axis + 1)
        net.step("CONCATENATION", (one, two), (out[0], out[1], out[2]), made=made)


def split(net: Net) -> None:
    source, size = net.pick()
    axis = int(net.rng.integers(3))
    if size[axis] % 2 == 0:
        part = list(size)
        part[axis] //= 2
        half = (part[0], part[1], part[2])
        place, made = net.integers([axis + 1]), options("Split", numSplits=2)
        net.step("SPLIT", (place, source), half, half, made=made)


def transpose(net: Net) -> None:
    source, (height, width, depth) = net.pick()
    order = net.integers([0, 2, 1, 3])
    net.step("TRANSPOSE", (source, order), (width, height, depth), made=options("Transpose"))


def resize(net: Net) -> None:
    source, (height, width, depth) = net.pick()
    if height * width < 60:
        out = net.integers([height * 2, width])
        kind = ("ResizeBilinear", "ResizeNearestNeighbor")[int(net.rng.integers(2))]
        name = "RESIZE_BILINEAR" if kind == "ResizeBilinear" else "RESIZE_NEAREST_NEIGHBOR"
        made = options(kind, alignCorners=False, halfPixelCenters=True)
        net.step(name, (source, out), (height * 2, width, depth), made=made)


def reshape(net: Net) -> None:
    source, (height, width, depth) = net.pick()
    shape = net.integers([1, width, height, depth])
    made = options("Reshape", newShape=[1, width, height, depth])
    net.step("RESHAPE", (source, shape), (width, height, depth), made=made)


def mean(net: Net) -> None:
    source, (_, _, depth) = net.pick()
    axes = net.integers([1, 2])
    net.step("MEAN", (source, axes), (1, 1, depth), made=options("Reducer", keepDims=True))


GROW: tuple[Callable[[Net], None], ...] = (
    relu, pool, pad, add, add, scale, concatenate, concatenate, split, transpose, resize, reshape,
    mean,
)  # fmt: skip


def network(seed: int, steps: int = 12) -> bytes:
    net = Net(seed)
    while len(net.steps) < steps:
        GROW[int(net.rng.integers(len(GROW)))](net)
    return net.model()
