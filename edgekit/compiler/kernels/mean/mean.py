"""MEAN and SUM over any axes.

Source: tensorflow/lite/kernels/internal/reference/reduce.h; micro/kernels/reduce_common.cc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.element_wise import Plain, braces
from edgekit.compiler.kernels.common.reduction import (
    reduced_axes,
    reduction_loops,
    reduction_overlap,
)
from edgekit.compiler.operation import Call, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import Multipliers, multiply, quantize_multiplier

OPERATORS = ("MEAN", "SUM")
_MOST = 1 << 22
"""Values of one sum: more could leave 32 bits."""


@dataclass(frozen=True, eq=False)
class Mean(Plain):
    """Sums along some axes, times a factor, int8.

    Attributes:
        shape: Of the input.
        axes: Those along which values are added, ascending.
        out_shape: Of the output.
        by: Factor of a sum.
        zeros: Zero points of input and output.
    """

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    out_shape: tuple[int, ...]
    by: Multipliers
    zeros: tuple[int, int]

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """An output follows the first value of its sum."""
        return (reduction_overlap(self.shape, self.axes),)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        values = inputs[0].reshape(self.shape).astype(np.int64) - self.zeros[0]
        out = multiply(values.sum(axis=self.axes), self.by) + self.zeros[1]
        return np.clip(out, -128, 127).astype(np.int8).reshape(self.out_shape)

    def sees(self) -> int:
        """Those of its shape; -1, never any, where it adds channels."""
        return -1 if len(self.shape) - 1 in self.axes else self.shape[-1]

    def take(self, kept: NDArray[np.bool_]) -> Mean:
        """The same on some of the channels."""
        left = int(kept.sum())
        shapes = (*self.shape[:-1], left), (*self.out_shape[:-1], left)
        return replace(self, shape=shapes[0], out_shape=shapes[1])

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.use("mean/mean.h")
        sizes, steps = reduction_loops(self.shape, self.axes)
        offset = self.zeros[0] * self.added
        factor, shift = int(self.by.multiplier[0]), int(self.by.shift[0])
        fields = [braces(sizes), braces(steps), offset, factor, self.zeros[1], shift]
        return f"ek_mean(&{to.struct('ek_mean_t', 'layer', fields)}, {to.inputs[0]}, {to.output});"

    @property
    def added(self) -> int:
        """Values of one sum."""
        return math.prod(self.shape[axis] for axis in self.axes)


def lower(call: Call) -> Mean:
    """The operation of a MEAN or SUM."""
    source, out = call.input(0), call.output
    call.int8(source, out)
    axes = reduced_axes(call)
    count = math.prod(source.shape[axis] for axis in axes)
    if not 0 < count <= _MOST:
        raise Unsupported(f"a sum of {count} values")
    multiplier, shift = quantize_multiplier(scale_of(source) / scale_of(out))
    if call.op.name == "MEAN":
        more = min(count.bit_length() - 1, 32, 31 + shift)
        multiplier, shift = (multiplier << more) // count, shift - more
    by = Multipliers(np.array([multiplier], np.int32), np.array([shift], np.int32))
    reduction_loops(source.shape, axes)
    return Mean(source.shape, axes, out.shape, by, (zero_of(source), zero_of(out)))
