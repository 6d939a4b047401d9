"""Which elements of its input an output takes: sizes and steps of nested loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgekit.compiler.operation import Call, Unsupported


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
    order = [int(axis) % len(shape) for axis in call.constant(1).ravel()]
    strides = _strides(shape)
    return View(tuple(shape[axis] for axis in order), tuple(strides[axis] for axis in order))


def _slice(call: Call) -> View:
    shape = call.input(0).shape
    starts = [int(start) for start in call.constant(1).ravel()]
    given = [int(size) for size in call.constant(2).ravel()]
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
    lists = [[int(value) for value in call.constant(place).ravel()] for place in (1, 2, 3)]
    if any(len(each) != len(shape) for each in lists):
        raise Unsupported(f"{len(lists[0])} of {len(shape)} axes")
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
    axis = int(call.constant(0).ravel()[0]) % len(shape)
    size = shape[axis] // len(call.op.outputs)
    return _part(shape, axis, call.result * size, size)


def _split_v(call: Call) -> View:
    shape = call.input(0).shape
    axis = int(call.constant(2).ravel()[0]) % len(shape)
    outputs = [call.graph.tensors[index].shape[axis] for index in call.op.outputs]
    return _part(shape, axis, sum(outputs[: call.result]), outputs[call.result])


def _unpack(call: Call) -> View:
    shape = call.input(0).shape
    axis = int(call.option("axis", 0)) % len(shape)
    return _part(shape, axis, call.result, 1)


_VIEWS: dict[str, Callable[[Call], View]] = {
    "TRANSPOSE": _transpose,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "UNPACK": _unpack,
}


def view_of(call: Call) -> View:
    """The view that an output of an operator is.

    Raises:
        Unsupported: An option that is not known.
    """
    return _VIEWS[call.op.name](call)
