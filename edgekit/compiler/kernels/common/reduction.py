"""Axes of a tensor that are kept, and those that are reduced, as four nested loops."""

from __future__ import annotations

import numpy as np

from edgekit.compiler.kernels.common.memory import nearest
from edgekit.compiler.operation import Call, Unsupported, axis_of

_LOOPS = 2


def reduced_axes(call: Call) -> tuple[int, ...]:
    """The axes of operand 1, ascending and once each."""
    rank = len(call.input(0).shape)
    return tuple(sorted({axis_of(axis, rank) for axis in call.integers(1)}))


def reduction_loops(
    shape: tuple[int, ...], axes: tuple[int, ...]
) -> tuple[list[int], list[int]]:  # fmt: skip
    """Sizes and steps of two loops over what is kept, then of two over what is reduced.

    Raises:
        Unsupported: Two do not do.
    """
    kinds: tuple[list[list[int]], list[list[int]]] = ([], [])
    step, last = 1, -1
    for axis in reversed(range(len(shape))):
        size, kind = shape[axis], int(axis in axes)
        if size > 1 and kind == last:
            kinds[kind][0][0] *= size
        elif size > 1:
            kinds[kind].insert(0, [size, step])
            last = kind
        step *= size
    for each in kinds:
        each[:0] = [[1, 0]] * (_LOOPS - len(each))
        if len(each) > _LOOPS:
            raise Unsupported(f"the axes {list(axes)}")
    loops = kinds[0] + kinds[1]
    return [size for size, _ in loops], [step for _, step in loops]


def reduction_overlap(shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    """How near: an output follows the first value that it takes in."""
    sizes, steps = reduction_loops(shape, axes)
    grid = np.arange(sizes[0])[:, None] * steps[0] + np.arange(sizes[1]) * steps[1]
    return nearest(np.arange(1, grid.size + 1), grid.ravel())
