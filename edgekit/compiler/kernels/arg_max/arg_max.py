"""ARG_MAX and ARG_MIN of int8 to int32.

Source: tensorflow/lite/kernels/internal/reference/arg_min_max.h; micro/kernels/arg_min_max.cc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.element_wise import Plain
from edgekit.compiler.operation import Call, Unsupported, axis_of

OPERATORS = ("ARG_MAX", "ARG_MIN")


@dataclass(frozen=True)
class ArgMax(Plain):
    """The first place of the greatest or the least value along an axis, int32.

    Attributes:
        sizes: Elements before the axis, along it, after it.
        out_shape: Of the output.
        greatest: Which.
    """

    sizes: tuple[int, int, int]
    out_shape: tuple[int, ...]
    greatest: bool

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """Never: outputs are wider than inputs."""
        return (None,)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        values = inputs[0].reshape(self.sizes)
        places = values.argmax(axis=1) if self.greatest else values.argmin(axis=1)
        return np.asarray(places, np.int32).reshape(self.out_shape)

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.use("arg_max/arg_max.h")
        sizes = ", ".join(map(str, self.sizes))
        flip = 0 if self.greatest else -1
        return f"ek_arg_max({sizes}, {flip}, {to.inputs[0]}, {to.output});"


def lower(call: Call) -> ArgMax:
    """The operation of an ARG_MAX or ARG_MIN."""
    source, out = call.input(0), call.output
    call.int8(source)
    if out.dtype != "int32":
        raise Unsupported(f"its output is {out.dtype}, not int32")
    shape = source.shape
    axis = axis_of(call.integers(1)[0], len(shape))
    sizes = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
    return ArgMax(sizes, out.shape, call.op.name == "ARG_MAX")
