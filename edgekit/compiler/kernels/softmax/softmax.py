"""SOFTMAX along the last axis, int8 to int8 or int16.

Differences of int8 values are few, so the exponentials are a table, made here.

Source: tensorflow/lite/kernels/internal/reference/softmax.h; micro/kernels/softmax_common.cc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.fixed_point import exp_negative, input_radius, one_over_one_plus
from edgekit.compiler.operation import Call, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import high_mul, quantize_multiplier, round_shift

OPERATORS = ("SOFTMAX",)
_BITS = 5
_SUM_BITS = 12
_DEEPEST = (1 << _SUM_BITS) - 1


@dataclass(frozen=True, eq=False)
class Softmax:
    """exp(x) over its sum along the rows.

    Attributes:
        rows: How many there are.
        depth: Values of a row.
        table: int32 [n]: exp(-difference to the greatest) with 31 fractional bits, as far as it
            adds to a sum; below it is 0.
        bits: Of an output, 8 or 16.
    """

    rows: int
    depth: int
    table: NDArray[np.int32]
    bits: int

    def macs(self) -> int:
        """None: exponentials are not counted."""
        return 0

    def scratch(self, core: Core) -> int:
        """None."""
        return 0

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """A row of int8 is written when its sum is known, value by value."""
        return (0 if self.bits == 8 else None,)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        values = inputs[0].reshape(self.rows, self.depth).astype(np.int64)
        below = values.max(axis=1, keepdims=True) - values
        table = np.append(self.table.astype(np.int64), 0)
        exps = table[np.minimum(below, len(self.table))]
        total = round_shift(exps, _SUM_BITS).sum(axis=1, keepdims=True)
        zeros = 31 - np.floor(np.log2(total)).astype(np.int64)
        factor = one_over_one_plus((total << zeros) - (1 << 31))
        shift = np.minimum(_SUM_BITS - zeros + 31 - self.bits, 31)
        least = -(1 << (self.bits - 1))
        out = round_shift(high_mul(np.broadcast_to(factor, exps.shape), exps), shift) + least
        kind = np.int8 if self.bits == 8 else np.int16
        return np.clip(out, least, -least - 1).astype(kind).reshape(inputs[0].shape)

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.define(f"EK_SOFTMAX{self.bits}")
        to.use("softmax/softmax.h")
        table = to.array("exp", self.table)
        sizes = f"{len(self.table)}, {self.rows}, {self.depth}"
        return f"ek_softmax{self.bits}({table}, {sizes}, {to.inputs[0]}, {to.output});"


def lower(call: Call) -> Softmax:
    """The operation of a SOFTMAX."""
    source, out = call.input(0), call.output
    call.int8(source)
    bits = {"int8": 8, "int16": 16}.get(out.dtype, 0)
    least, most = -(1 << max(bits - 1, 0)), 1.0 / (1 << bits)
    if not bits or out.quantization is None:
        raise Unsupported(f"its output is {out.dtype}")
    if zero_of(out) != least or abs(scale_of(out) - most) > (0.001 * most if bits == 16 else 0):
        raise Unsupported(f"its output has scale {scale_of(out):g} and zero point {zero_of(out)}")
    depth = source.shape[-1] if source.shape else 1
    if depth > _DEEPEST:
        raise Unsupported(f"rows of {depth} values")
    table = exponentials(scale_of(source) * float(np.float32(call.option("beta", 1.0))))
    return Softmax(math.prod(source.shape) // depth, depth, table, bits)


def exponentials(scale: float) -> NDArray[np.int32]:
    """exp(-scale * n) for n from 0 on, with 31 fractional bits, until it adds nothing."""
    if not scale * (1 << (31 - _BITS)) > 1:
        raise Unsupported(f"a scale of {scale:g}")
    factor = min(scale * (1 << (31 - _BITS)), (1 << 31) - 1.0)
    multiplier, shift = quantize_multiplier(factor)
    steps = np.arange(min(256, input_radius(_BITS, shift) + 1))
    raw = high_mul(-steps.astype(np.int64) << shift, multiplier)
    table = exp_negative(raw, _BITS)
    return table[: 1 + int(np.flatnonzero(table >= 1 << (_SUM_BITS - 1))[-1])].astype(np.int32)
