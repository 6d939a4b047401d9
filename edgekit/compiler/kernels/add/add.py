"""ADD of two tensors of one shape; `binary` lowers the operator and takes all other cases.

Source: tensorflow/lite/kernels/internal/reference/integer_ops/add.h; micro/kernels/add_common.cc.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.operation import Call, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import Multipliers, activation_range, multiplier_of, multiply

_MORE_BITS = 20


@dataclass(frozen=True, eq=False)
class Add:
    """left + right, both int8, to int8.

    Attributes:
        left: Factor of the left operand, and of the right one.
        right: See `left`.
        out: Factor of their sum.
        zeros: Zero points of left, right and output.
        low: Least output.
        high: Greatest output.
        elements: Of the output.
    """

    left: Multipliers
    right: Multipliers
    out: Multipliers
    zeros: tuple[int, int, int]
    low: int
    high: int
    elements: int

    def macs(self) -> int:
        """None: additions are not counted."""
        return 0

    def scratch(self, core: Core) -> int:
        """None."""
        return 0

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """In place of either."""
        return (0, 0)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        left, right = (
            multiply((np.ravel(value).astype(np.int64) - zero) << _MORE_BITS, by)
            for value, zero, by in zip(inputs, self.zeros, (self.left, self.right), strict=False)
        )
        out = multiply(left + right, self.out) + self.zeros[2]
        return np.clip(out, self.low, self.high).astype(np.int8).reshape(inputs[0].shape)

    def sees(self) -> int:
        """Any number."""
        return 0

    def take(self, kept: NDArray[np.bool_]) -> Add:
        """The same on some of the channels."""
        return replace(self, elements=self.elements // len(kept) * int(kept.sum()))

    def swapped(self) -> Add:
        """right + left."""
        zeros = self.zeros[1], self.zeros[0], self.zeros[2]
        return Add(self.right, self.left, self.out, zeros, self.low, self.high, self.elements)

    def constant(self, core: Core, to: Emission) -> str:
        """The constant `ek_add_t`; returns its C name."""
        parts = (self.left, self.right, self.out)
        swap = _is_half(self.right)
        fast = None if core.isa == "portable" else (self.swapped() if swap else self)._fast()
        to.define("EK_ADD_FAST" if fast else "EK_ADD_ANY")
        if int(self.out.shift[0]) > 0:
            to.define("EK_MULTIPLY_LEFT")
        which = [] if core.isa == "portable" else [int(fast is not None), int(swap)]
        return to.struct(
            "ek_add_t",
            "add",
            [
                *((fast or [0] * 7) if core.isa in ("thumb2", "dsp") else []),
                *(int(each.multiplier[0]) for each in parts),
                *(int(each.shift[0]) for each in parts),
                *self.zeros,
                self.low,
                self.high,
                *which,
            ],
        )

    def _fast(self) -> list[int] | None:
        """Constants of the loop that takes its left operand by shifts alone; None: it cannot."""
        narrow, out = int(self.right.shift[0]), int(self.out.shift[0])
        if not _is_half(self.left) or narrow >= 0 or not -22 < out < 0:
            return None
        left, right, zero = self.zeros
        return [
            -right * (1 << 21), int(self.right.multiplier[0]), -1 - narrow,
            1 - left * (1 << 20), int(self.out.multiplier[0]),
            (2 * zero + 1) * (1 << (-1 - out)), -1 - out,
        ]  # fmt: skip

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.use("common/words.h")
        to.use("add/add.h")
        left, right = to.inputs if len(to.inputs) == 2 else to.inputs * 2
        return f"ek_add(&{self.constant(core, to)}, {left}, {right}, {to.output}, {self.elements});"


def _is_half(factor: Multipliers) -> bool:
    return int(factor.multiplier[0]) == 1 << 30 and int(factor.shift[0]) == 0


def lower(call: Call) -> Add:
    """The operation of an ADD of two tensors of one shape."""
    left, right, out = call.input(0), call.input(1), call.output
    call.int8(left, right, out)
    if left.data is not None or right.data is not None:
        raise Unsupported("it adds a constant")
    if left.shape != right.shape:
        raise Unsupported(f"it broadcasts {left.shape} and {right.shape}")
    twice = 2.0 * max(scale_of(left), scale_of(right))
    try:
        low, high = activation_range(call.activation(), scale_of(out), zero_of(out))
    except ValueError as error:
        raise Unsupported(f"the fused activation {error}") from None
    return Add(
        multiplier_of(scale_of(left) / twice),
        multiplier_of(scale_of(right) / twice),
        multiplier_of(twice / ((1 << _MORE_BITS) * scale_of(out))),
        (zero_of(left), zero_of(right), zero_of(out)),
        low,
        high,
        out.elements,
    )
