"""Which elements of its input an output takes: sizes and steps of nested loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgekit.compiler.operation import Call, Unsupported, axis_of


@dataclass(frozen=True)
class View:
    """A view of a tensor.

    Attributes:
        sizes: Of each axis of the output.
        steps: Elements of the input from one to the next along each.
        first: The first element.
    """

    sizes: tuple[int, ...]
    steps: tuple[int, ...]
    first: int = 0


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))


def _cut(shape: tuple[int, ...], starts: list[int], sizes: list[int], steps: list[int]) -> View:
    strides = _strides(shape)
    first = sum(start * stride for start, stride in zip(starts, strides, strict=True))
    by = tuple(step * stride for step, stride in zip(steps, strides, strict=True))
    return View(tuple(sizes), by, first)


def _part(shape: tuple[int, ...], axis: int, start: int, size: int) -> View:
    """Some of the elements along one axis."""
    starts, sizes = [0] * len(shape), list(shape)
    starts[axis], sizes[axis] = start, size
    return _cut(shape, starts, sizes, [1] * len(shape))


def _transpose(call: Call) -> View:
    shape = call.input(0).shape
    order = [axis_of(axis, len(shape)) for axis in call.integers(1)]
    strides = _strides(shape)
    return View(tuple(shape[axis] for axis in order), tuple(strides[axis] for axis in order))


def _slice(call: Call) -> View:
    shape = call.input(0).shape
    starts, given = call.integers(1), call.integers(2)
    if not len(starts) == len(given) == len(shape):
        raise Unsupported(f"{len(starts)} of {len(shape)} axes")
    sizes = [
        whole - start if size < 0 else size
        for whole, start, size in zip(shape, starts, given, strict=True)
    ]
    return _cut(shape, starts, sizes, [1] * len(shape))


def _strided_slice(call: Call) -> View:
    shape = call.input(0).shape
    for mask in ("ellipsis_mask", "new_axis_mask"):
        if call.option(mask, 0):
            raise Unsupported(f"the option {mask}")
    if call.option("offset", False):
        raise Unsupported("ends relative to their beginnings")
    lists = [call.integers(place) for place in (1, 2, 3)]
    if any(len(each) != len(shape) for each in lists):
        raise Unsupported(f"{len(lists[0])} of {len(shape)} axes")
    if not all(lists[2]):
        raise Unsupported("a stride of 0")
    starts, sizes = [], []
    for axis, (begin, end, step) in enumerate(zip(*lists, strict=True)):
        bit = 1 << axis
        whole = slice(
            None if int(call.option("begin_mask", 0)) & bit else begin,
            None if int(call.option("end_mask", 0)) & bit else end,
            step,
        )
        start, stop, _ = whole.indices(shape[axis])
        shrink = int(call.option("shrink_axis_mask", 0)) & bit
        starts.append(start)
        sizes.append(1 if shrink else len(range(start, stop, step)))
    return _cut(shape, starts, sizes, lists[2])


def _split(call: Call) -> View:
    shape = call.input(1).shape
    axis = axis_of(call.integers(0)[0], len(shape))
    size = shape[axis] // len(call.op.outputs)
    return _part(shape, axis, call.result * size, size)


def _split_v(call: Call) -> View:
    shape = call.input(0).shape
    axis = axis_of(call.integers(2)[0], len(shape))
    call.integers(1)  # the sizes, which the outputs have, too
    outputs = [call.graph.tensors[index].shape[axis] for index in call.op.outputs]
    return _part(shape, axis, sum(outputs[: call.result]), outputs[call.result])


def _unpack(call: Call) -> View:
    shape = call.input(0).shape
    axis = axis_of(int(call.option("axis", 0)), len(shape))
    return _part(shape, axis, call.result, 1)


def _reverse(call: Call) -> View:
    shape = call.input(0).shape
    axes = {axis_of(axis, len(shape)) for axis in call.integers(1)}
    starts = [size - 1 if axis in axes else 0 for axis, size in enumerate(shape)]
    steps = [-1 if axis in axes else 1 for axis in range(len(shape))]
    return _cut(shape, starts, list(shape), steps)


def _broadcast(call: Call) -> View:
    call.integers(1)  # the sizes, which the output has, too
    shape, out = call.input(0).shape, call.output.shape
    shape = (1,) * (len(out) - len(shape)) + tuple(shape)
    steps = [0 if size == 1 else step for size, step in zip(shape, _strides(shape), strict=True)]
    return View(tuple(out), tuple(steps))


def _depth_to_space(call: Call) -> View:
    batch, height, width, depth = call.input(0).shape
    block = _block(call)
    inner = depth // block**2
    pixel, line = block * inner, width * depth
    sizes = (batch, height, block, width, block, inner)
    return View(sizes, (height * line, line, pixel, depth, inner, 1))


def _space_to_depth(call: Call) -> View:
    batch, height, width, depth = call.input(0).shape
    block = _block(call)
    line = width * depth
    sizes = (batch, height // block, width // block, block, block, depth)
    return View(sizes, (height * line, block * line, block * depth, line, depth, 1))


def _block(call: Call) -> int:
    size = int(call.option("block_size", 0))
    if size < 1:
        raise Unsupported(f"a block of {size}")
    return size


def _batch_to_space(call: Call) -> View:
    blocks = _blocks(call)
    batch, height, width, depth = call.input(0).shape
    rest = batch // (blocks[0] * blocks[1])
    image = height * width * depth
    sizes = (rest, height, blocks[0], width, blocks[1], depth)
    steps = (image, width * depth, blocks[1] * rest * image, depth, rest * image, 1)
    return View(sizes, steps)


def _space_to_batch(call: Call) -> View:
    blocks = _blocks(call)
    batch, height, width, depth = call.input(0).shape
    line = width * depth
    sizes = (*blocks, batch, height // blocks[0], width // blocks[1], depth)
    steps = (line, depth, height * line, blocks[0] * line, blocks[1] * depth, 1)
    return View(sizes, steps)


def _blocks(call: Call) -> tuple[int, int]:
    """Height and width of a block of SPACE_TO_BATCH_ND and its inverse on images."""
    blocks = call.integers(1)
    if len(blocks) != 2 or len(call.input(0).shape) != 4 or min(blocks) < 1:
        raise Unsupported(f"blocks of {blocks} in {call.input(0).shape}")
    if any(call.integers(2)):
        raise Unsupported("blocks with padding or crops")
    return blocks[0], blocks[1]


VIEWS: dict[str, Callable[[Call], View]] = {
    "TRANSPOSE": _transpose,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "UNPACK": _unpack,
    "REVERSE_V2": _reverse,
    "BROADCAST_TO": _broadcast,
    "DEPTH_TO_SPACE": _depth_to_space,
    "SPACE_TO_DEPTH": _space_to_depth,
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "SPACE_TO_BATCH_ND": _space_to_batch,
}


def view_of(call: Call) -> View:
    """The view that an output of an operator is.

    Raises:
        Unsupported: An option that is not known.
    """
    return VIEWS[call.op.name](call)
