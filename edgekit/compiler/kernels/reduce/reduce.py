"""REDUCE_MAX and REDUCE_MIN over any axes.

Source: tensorflow/lite/kernels/internal/reference/reduce.h; micro/kernels/reduce_common.cc.
"""

from __future__ import annotations

from dataclasses import dataclass
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

OPERATORS = ("REDUCE_MAX", "REDUCE_MIN")


@dataclass(frozen=True)
class Reduce(Plain):
    """The greatest or the least value along some axes, int8.

    Attributes:
        shape: Of the input.
        axes: Those along which values are compared, ascending.
        out_shape: Of the output.
        greatest: Which.
    """

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    out_shape: tuple[int, ...]
    greatest: bool

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """An output follows the first value that it takes in."""
        return (reduction_overlap(self.shape, self.axes),)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        values = inputs[0].reshape(self.shape)
        out = values.max(axis=self.axes) if self.greatest else values.min(axis=self.axes)
        return np.asarray(out).reshape(self.out_shape)

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.use("reduce/reduce.h")
        sizes, steps = reduction_loops(self.shape, self.axes)
        fields = [braces(sizes), braces(steps), 0 if self.greatest else -1]
        layer = to.struct("ek_reduce_t", "layer", fields)
        return f"ek_reduce(&{layer}, {to.inputs[0]}, {to.output});"


def lower(call: Call) -> Reduce:
    """The operation of a REDUCE_MAX or REDUCE_MIN."""
    source, out = call.input(0), call.output
    call.int8(source, out)
    if scale_of(source) != scale_of(out) or zero_of(source) != zero_of(out):
        raise Unsupported("its output has another scale than its input")
    axes = reduced_axes(call)
    reduction_loops(source.shape, axes)
    return Reduce(source.shape, axes, out.shape, call.op.name == "REDUCE_MAX")
