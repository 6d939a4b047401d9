"""BATCH_MATMUL of int8: products of matrices, either of which may be a constant.

Source: tensorflow/lite/kernels/internal/reference/batch_matmul.h; micro/kernels/batch_matmul.cc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.binary.binary import rows
from edgekit.compiler.kernels.common.element_wise import Plain, braces
from edgekit.compiler.operation import Call, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import Multipliers, multiplier_of, multiply

OPERATORS = ("BATCH_MATMUL",)
_LOOPS = 2
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class BatchMatmul(Plain):
    """left @ right for each pair of matrices.

    Attributes:
        shapes: Of left and right.
        turned: Whether the last two axes of left and of right change places.
        shape: Of the output.
        constants: Left and right where the model holds them, else None.
        by: Factor of a sum.
        zeros: Zero points of left, right and output.
    """

    shapes: tuple[Shape, Shape]
    turned: tuple[bool, bool]
    shape: Shape
    constants: tuple[NDArray[Any] | None, NDArray[Any] | None]
    by: Multipliers
    zeros: tuple[int, int, int]

    @property
    def depth(self) -> int:
        """Products of a sum."""
        return self.shapes[0][-2 if self.turned[0] else -1]

    def macs(self) -> int:
        """One for each product."""
        return math.prod(self.shape) * self.depth

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """Never: each value is read for many outputs."""
        return tuple(None for constant in self.constants if constant is None)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        given = iter(inputs)
        left, right = (
            (next(given) if constant is None else constant).reshape(shape).astype(np.int64) - zero
            for constant, shape, zero in zip(self.constants, self.shapes, self.zeros, strict=False)
        )
        left = left.swapaxes(-1, -2) if self.turned[0] else left
        right = right.swapaxes(-1, -2) if self.turned[1] else right
        out = multiply(left @ right, self.by) + self.zeros[2]
        return np.clip(out, -128, 127).astype(np.int8).reshape(self.shape)

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.use("batch_matmul/batch_matmul.h")
        given = iter(to.inputs)
        left, right = (
            next(given) if constant is None else to.array(what, constant)
            for constant, what in zip(self.constants, ("left", "right"), strict=True)
        )
        sizes = [*self.shape[-2:], self.depth]
        factors = [int(self.by.multiplier[0]), *self.zeros, int(self.by.shift[0])]
        fields = [*map(braces, self.batches()), *sizes, *self._steps(), *factors]
        layer = to.struct("ek_batch_matmul_t", "layer", fields)
        return f"ek_batch_matmul(&{layer}, {left}, {right}, {to.output});"

    def batches(self) -> list[list[int]]:
        """Sizes of two loops over matrices, and the steps of left and right in bytes.

        Raises:
            Unsupported: Two do not do.
        """
        outer = [shape[:-2] for shape in (*self.shapes, self.shape)]
        sizes, steps = rows(outer[0], outer[1], outer[2])
        if len(sizes) > _LOOPS:
            raise Unsupported(f"it broadcasts {self.shapes[0]} and {self.shapes[1]}")
        bytes_of = [math.prod(shape[-2:]) for shape in self.shapes]
        loops = [
            sizes,
            *([step * size for step in of] for of, size in zip(steps, bytes_of, strict=True)),
        ]
        return [[1] * (_LOOPS - len(sizes)) + each for each in loops]

    def _steps(self) -> list[int]:
        """From one row of left and one place of it to the next; from a column of right likewise."""
        left, right = self.shapes[0][-1], self.shapes[1][-1]
        one = [1, left] if self.turned[0] else [left, 1]
        two = [right, 1] if self.turned[1] else [1, right]
        return [*one, *two]


def lower(call: Call) -> BatchMatmul:
    """The operation of a BATCH_MATMUL."""
    left, right, out = call.input(0), call.input(1), call.output
    call.int8(left, right, out)
    if left.data is not None and right.data is not None:
        raise Unsupported("both operands are constants")
    factor = float(np.float32(scale_of(left)) * np.float32(scale_of(right))) / scale_of(out)
    product = BatchMatmul(
        (left.shape, right.shape),
        (bool(call.option("adj_x", False)), bool(call.option("adj_y", False))),
        out.shape,
        (left.data, right.data),
        multiplier_of(factor),
        (zero_of(left), zero_of(right), zero_of(out)),
    )
    if len(out.shape) != max(len(left.shape), len(right.shape)) or min(
        len(left.shape), len(right.shape)
    ) < 2:  # fmt: skip
        raise Unsupported(f"operands of {left.shape} and {right.shape} for {out.shape}")
    product.batches()
    return product
