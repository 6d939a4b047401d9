"""CONCATENATION and PACK.

Source: tensorflow/lite/kernels/internal/reference/concatenation.h; micro/kernels/concatenation.cc
and pack.cc.
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
from edgekit.compiler.operation import Call, Unsupported, axis_of, scale_of, zero_of
from edgekit.graph.graph import Tensor

OPERATORS = ("CONCATENATION", "PACK")
_DTYPES = ("int8", "int16", "int32", "float32")


@dataclass(frozen=True, eq=False)
class Concatenation(Plain):
    """Tensors side by side.

    Attributes:
        outer: How often a piece of each is taken in turn.
        pieces: Elements of a piece of each operand.
        constants: The operands that the model holds, None for those that it computes.
        shape: Of the output.
        dtype: Of all.
    """

    outer: int
    pieces: tuple[int, ...]
    constants: tuple[NDArray[Any] | None, ...]
    shape: tuple[int, ...]
    dtype: str

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """An operand may lie where its last piece is not overwritten before it is read."""
        item, whole, before, near = np.dtype(self.dtype).itemsize, sum(self.pieces), 0, []
        for piece, constant in zip(self.pieces, self.constants, strict=True):
            if constant is None:
                near.append(((self.outer - 1) * (whole - piece) + before) * item)
            before += piece
        return tuple(near)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        given = iter(inputs)
        parts = [
            (next(given) if constant is None else constant).reshape(self.outer, piece)
            for constant, piece in zip(self.constants, self.pieces, strict=True)
        ]
        return np.asarray(np.concatenate(parts, axis=1).reshape(self.shape))

    def emit(self, core: Core, to: Emission) -> str:
        """A copy of each, in a loop where there is more than one piece."""
        to.use("concatenation/concatenation.h")
        item, given, lines, before = np.dtype(self.dtype).itemsize, iter(to.inputs), [], 0
        for place, (constant, piece) in enumerate(zip(self.constants, self.pieces, strict=True)):
            if constant is None:
                source = next(given)
            else:
                source = to.array(f"part{place}", np.ravel(constant).view(np.int8))
            count = piece * item
            ends = ("out", source) if self.outer == 1 else ("out", f"{source} + i * {count}")
            lines.append(f"ek_put({ends[0]} + {before}, {ends[1]}, {count});")
            before += count
        start = f"int8_t *out = {to.output};"
        if self.outer == 1:
            return "\n".join([start, *lines])
        loop = f"for (i = 0; i < {self.outer}; ++i, out += {before}) {{"
        return "\n".join([start, "int32_t i;", loop, *(f"    {line}" for line in lines), "}"])


def lower(call: Call) -> Concatenation:
    """The operation of a CONCATENATION or PACK."""
    out = call.output
    if call.activation() != "NONE":
        raise Unsupported(f"the fused activation {call.activation()}")
    if out.dtype not in _DTYPES:
        raise Unsupported(f"'{out.name}' is {out.dtype}")
    axis = axis_of(int(call.option("axis", 0)), len(out.shape))
    outer = math.prod(out.shape[:axis])
    operands = [call.input(place) for place in range(len(call.op.inputs))]
    for tensor in operands:
        if tensor.dtype != out.dtype:
            raise Unsupported(f"'{tensor.name}' is {tensor.dtype}, not {out.dtype}")
        if out.dtype == "int8" and call.op.name == "CONCATENATION":
            _same_scale(call, tensor)
    pieces = tuple(tensor.elements // outer for tensor in operands)
    if sum(pieces) * outer != out.elements:
        raise Unsupported(f"parts of {pieces} elements in an output of {out.shape}")
    constants = tuple(tensor.data for tensor in operands)
    return Concatenation(outer, pieces, constants, out.shape, out.dtype)


def _same_scale(call: Call, tensor: Tensor) -> None:
    call.int8(tensor, call.output)
    if scale_of(tensor) != scale_of(call.output) or zero_of(tensor) != zero_of(call.output):
        raise Unsupported(f"'{tensor.name}' has another scale than the output")
