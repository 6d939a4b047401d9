"""TRANSPOSE, SLICE, SPLIT, REVERSE_V2 and their like: an output is a view of the input.

Source: tensorflow/lite/kernels/internal/reference/transpose.h and slice.h;
kernels/internal/strided_slice_logic.h; micro/kernels/split.cc, split_v.cc and unpack.cc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.element_wise import Plain, braces
from edgekit.compiler.kernels.common.memory import nearest
from edgekit.compiler.kernels.move.views import VIEWS, View, view_of
from edgekit.compiler.operation import Call, Unsupported

OPERATORS = tuple(VIEWS)
_LOOPS = 4
_DTYPES = ("int8", "uint8", "int16", "int32", "float32")


@dataclass(frozen=True)
class Move(Plain):
    """Bytes to other places.

    Attributes:
        view: Elements of the input in the order of the output.
        shape: Of the output, as the model has it.
        item: Bytes of an element.
    """

    view: View
    shape: tuple[int, ...]
    item: int

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """As near as no piece is overwritten that a later one is."""
        sizes, steps, first, run = self.loops()
        grid = np.ix_(*(np.arange(size) for size in (*sizes, run)))
        starts = sum(axis * step for axis, step in zip(grid, (*steps, 1), strict=True))
        starts = np.ravel(starts + first)
        return (nearest(np.arange(1, starts.size + 1), starts),)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        flat = np.ravel(inputs[0])
        places = np.full((), self.view.first)
        for size, step in zip(self.view.sizes, self.view.steps, strict=True):
            places = places[..., None] + np.arange(size) * step
        return np.asarray(flat[places].reshape(self.shape))

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        sizes, steps, first, run = self.loops()
        if math.prod(sizes) == 1:
            return f"ek_copy({to.output}, {to.inputs[0]} + {first}, {run});"
        to.use("move/move.h")
        layer = to.struct("ek_move_t", "layer", [braces(sizes), braces(steps), first, run])
        return f"ek_move(&{layer}, {to.inputs[0]}, {to.output});"

    def loops(self) -> tuple[list[int], list[int], int, int]:
        """Sizes and steps of four loops, the first byte, and bytes of a run.

        Raises:
            Unsupported: Four do not do.
        """
        sizes, steps = [self.item], [1]
        for size, step in reversed(list(zip(self.view.sizes, self.view.steps, strict=True))):
            if size == 1:
                continue
            if step * self.item == sizes[0] * steps[0]:
                sizes[0] *= size
            else:
                sizes.insert(0, size)
                steps.insert(0, step * self.item)
        run = sizes.pop() if steps[-1] == 1 else 1
        steps = steps[: len(sizes)]
        missing = _LOOPS - len(sizes)
        if missing < 0:
            raise Unsupported(f"{len(sizes)} axes in another order")
        return [1] * missing + sizes, [0] * missing + steps, self.view.first * self.item, run


def lower(call: Call) -> Move:
    """The operation of one output of an operator that moves bytes."""
    source = call.input(1 if call.op.name == "SPLIT" else 0)
    if source.dtype not in _DTYPES:
        raise Unsupported(f"'{source.name}' is {source.dtype}")
    view = view_of(call)
    if math.prod(view.sizes) != call.output.elements or not call.output.elements:
        raise Unsupported(f"its output is {call.output.shape}, where {view.sizes} was expected")
    move = Move(view, call.output.shape, np.dtype(source.dtype).itemsize)
    move.loops()
    return move
