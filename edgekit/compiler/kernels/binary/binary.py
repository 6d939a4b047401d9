"""ADD, SUB, MUL, PRELU and their like of int8, with broadcasting and constant operands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.add import add
from edgekit.compiler.kernels.binary.functions import FUNCTIONS, Function
from edgekit.compiler.kernels.common.element_wise import Plain, braces
from edgekit.compiler.operation import Call, Operation, Unsupported
from edgekit.graph.graph import Tensor

OPERATORS = tuple(FUNCTIONS)
_LOOPS = 4
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Binary(Plain):
    """A function of two tensors of int8.

    Attributes:
        function: What is computed of two values.
        shapes: Of left and right.
        shape: Of the output.
        constants: Left and right where the model holds them, else None.
    """

    function: Function
    shapes: tuple[Shape, Shape]
    shape: Shape
    constants: tuple[NDArray[Any] | None, NDArray[Any] | None]

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """In place of an operand that is not repeated."""
        return tuple(
            0 if np.prod(shape) == np.prod(self.shape) else None
            for shape, constant in zip(self.shapes, self.constants, strict=True)
            if constant is None
        )

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        given = iter(inputs)
        left, right = (
            (next(given) if constant is None else constant).reshape(shape).astype(np.int64)
            for constant, shape in zip(self.constants, self.shapes, strict=True)
        )
        return np.broadcast_to(self.function.of(left, right), self.shape).astype(np.int8)

    def sees(self) -> int:
        """Those of its shape; -1, never any, where it repeats an operand for all of them."""
        channels = self.shape[-1] if self.shape else -1
        given = [
            shape
            for shape, constant in zip(self.shapes, self.constants, strict=True)
            if constant is None
        ]
        return channels if all(shape[-1:] == (channels,) for shape in given) else -1

    def take(self, kept: NDArray[np.bool_]) -> Binary:
        """The same on some of the channels."""
        left, right = (_some(shape, kept) for shape in self.shapes)
        one, two = (
            constant if constant is None or shape[-1:] != (len(kept),) else constant[..., kept]
            for constant, shape in zip(self.constants, self.shapes, strict=True)
        )
        shape = _some(self.shape, kept)
        return replace(self, shapes=(left, right), shape=shape, constants=(one, two))

    def emit(self, core: Core, to: Emission) -> str:
        """One call: of the function for a row where there is only one."""
        name, function = self.function.emit(to)
        given = iter(to.inputs)
        left, right = (
            next(given) if constant is None else to.array(what, constant)
            for constant, what in zip(self.constants, ("left", "right"), strict=True)
        )
        sizes, steps = rows(*self.shapes, self.shape)
        if len(sizes) == 1:
            sides = f"{left}, {steps[0][0]}, {right}, {steps[1][0]}, {to.output}"
            return f"{name}({function}, {sides}, {sizes[0]});"
        missing = [1] * (_LOOPS - len(sizes))
        fields = [braces([*missing, *each]) for each in (sizes, *steps)]
        layer = to.struct("ek_binary_t", "layer", fields)
        to.define("EK_BINARY_BROADCAST")
        return f"ek_binary(&{layer}, {name}, {function}, {left}, {right}, {to.output});"


def _some(shape: Shape, kept: NDArray[np.bool_]) -> Shape:
    return (*shape[:-1], int(kept.sum())) if shape[-1:] == (len(kept),) else shape


def rows(left: Shape, right: Shape, out: Shape) -> tuple[list[int], tuple[list[int], list[int]]]:
    """Sizes of as few nested loops as do, and the steps of the operands, 0 where they repeat."""
    sizes: list[int] = []
    steps: tuple[list[int], list[int]] = ([], [])
    widths = [1, 1]
    padded = [(1,) * (len(out) - len(shape)) + shape for shape in (left, right)]
    for size, *each in zip(*(reversed(shape) for shape in (out, *padded)), strict=True):
        by = [0 if one == 1 else width for one, width in zip(each, widths, strict=True)]
        widths = [width * one for width, one in zip(widths, each, strict=True)]
        if size == 1:
            continue
        if sizes and all(step == of[0] * sizes[0] for step, of in zip(by, steps, strict=True)):
            sizes[0] *= size
            continue
        sizes.insert(0, size)
        for of, step in zip(steps, by, strict=True):
            of.insert(0, step)
    return (sizes, steps) if sizes else ([1], ([0], [0]))


def lower(call: Call) -> Operation:
    """The operation of an operator of two operands."""
    left, right, out = call.input(0), call.input(1), call.output
    call.int8(left, right, out)
    if left.data is not None and right.data is not None:
        raise Unsupported("both operands are constants")
    if call.op.name == "ADD" and left.shape == right.shape and not _constant(left, right):
        return add.lower(call)
    try:
        shape = np.broadcast_shapes(left.shape, right.shape)
    except ValueError:
        shape = ()
    if shape != tuple(out.shape):
        raise Unsupported(f"operands of {left.shape} and {right.shape} for {out.shape}")
    if len(rows(left.shape, right.shape, out.shape)[0]) > _LOOPS:
        raise Unsupported(f"it broadcasts {left.shape} and {right.shape}")
    constants = (left.data, right.data)
    return Binary(FUNCTIONS[call.op.name](call), (left.shape, right.shape), out.shape, constants)


def _constant(*tensors: Tensor) -> bool:
    return any(tensor.data is not None for tensor in tensors)
