"""int8 functions of two values as TensorFlow Lite Micro computes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.element_wise import output_range
from edgekit.compiler.operation import Call, scale_of, zero_of
from edgekit.compiler.requantize import Multipliers, multiplier_of, multiply

Values = NDArray[np.int64]
_MORE_BITS = 20
_SQUARE_BITS = 7


class Function(Protocol):
    """What is computed of two values."""

    def of(self, left: Values, right: Values) -> Values:
        """Outputs within int8; the operands broadcast."""
        ...

    def emit(self, to: Emission) -> tuple[str, str]:
        """Take in the kernel; the C names of its function for a row and of its constants."""
        ...


@dataclass(frozen=True, eq=False)
class Sum:
    """left + right, or left - right.

    Attributes:
        factors: Of left, of right, of their sum.
        zeros: Zero points of left, right and output.
        limits: Least and greatest output.
        sign: 1 or -1.

    Source: reference/integer_ops/add.h, reference/sub.h; micro/kernels/add_common.cc and
    sub_common.cc.
    """

    factors: tuple[Multipliers, Multipliers, Multipliers]
    zeros: tuple[int, int, int]
    limits: tuple[int, int]
    sign: int

    def of(self, left: Values, right: Values) -> Values:
        """See `Function`."""
        x, y = (
            multiply((value - zero) << _MORE_BITS, by)
            for value, zero, by in zip((left, right), self.zeros, self.factors, strict=False)
        )
        return np.clip(multiply(x + self.sign * y, self.factors[2]) + self.zeros[2], *self.limits)

    def emit(self, to: Emission) -> tuple[str, str]:
        """See `Function`."""
        to.use("binary/sum.h")
        factors, shifts = _integers(self.factors)
        fields = [*factors, *shifts, self.sign, *self.zeros, *self.limits]
        return "ek_sum", f"&{to.struct('ek_sum_t', 'sum', fields)}"


@dataclass(frozen=True, eq=False)
class Product:
    """left * right.

    Attributes:
        by: Factor of the product.
        zeros: Zero points of left, right and output.
        limits: Least and greatest output.

    Source: reference/integer_ops/mul.h; micro/kernels/mul_common.cc.
    """

    by: Multipliers
    zeros: tuple[int, int, int]
    limits: tuple[int, int]

    def of(self, left: Values, right: Values) -> Values:
        """See `Function`."""
        product = (left - self.zeros[0]) * (right - self.zeros[1])
        return np.clip(multiply(product, self.by) + self.zeros[2], *self.limits)

    def emit(self, to: Emission) -> tuple[str, str]:
        """See `Function`."""
        to.use("binary/product.h")
        factors, shifts = _integers((self.by,))
        fields = [*factors, *self.zeros, *shifts, *self.limits]
        return "ek_product", f"&{to.struct('ek_product_t', 'product', fields)}"


@dataclass(frozen=True, eq=False)
class Prelu:
    """left, or left * right where left is negative.

    Attributes:
        factors: Of left, of the product.
        zeros: Zero points of left, right and output.

    Source: reference/prelu.h; micro/kernels/prelu_common.cc.
    """

    factors: tuple[Multipliers, Multipliers]
    zeros: tuple[int, int, int]

    def of(self, left: Values, right: Values) -> Values:
        """See `Function`."""
        value = left - self.zeros[0]
        below = multiply(value * (right - self.zeros[1]), self.factors[1])
        out = np.where(value >= 0, multiply(value, self.factors[0]), below) + self.zeros[2]
        return np.clip(out, -128, 127)

    def emit(self, to: Emission) -> tuple[str, str]:
        """See `Function`."""
        to.use("binary/prelu.h")
        factors, shifts = _integers(self.factors)
        return "ek_prelu", f"&{to.struct('ek_prelu_t', 'prelu', [*factors, *self.zeros, *shifts])}"


@dataclass(frozen=True, eq=False)
class SquaredDifference:
    """(left - right)^2.

    Attributes:
        factors: Of left, of right, of the square.
        zeros: Zero points of left, right and output.

    Source: micro/kernels/squared_difference.cc.
    """

    factors: tuple[Multipliers, Multipliers, Multipliers]
    zeros: tuple[int, int, int]

    def of(self, left: Values, right: Values) -> Values:
        """See `Function`."""
        x, y = (
            multiply((value - zero) << _SQUARE_BITS, by)
            for value, zero, by in zip((left, right), self.zeros, self.factors, strict=False)
        )
        return np.clip(multiply((x - y) ** 2, self.factors[2]) + self.zeros[2], -128, 127)

    def emit(self, to: Emission) -> tuple[str, str]:
        """See `Function`."""
        to.use("binary/square.h")
        factors, shifts = _integers(self.factors)
        fields = [*factors, *self.zeros, *shifts]
        return "ek_square", f"&{to.struct('ek_square_t', 'square', fields)}"


@dataclass(frozen=True)
class Extreme:
    """The greater or the lesser of two stored values; their scales are taken to be the same.

    Attributes:
        greatest: Which.

    Source: micro/kernels/maximum_minimum.h.
    """

    greatest: bool

    def of(self, left: Values, right: Values) -> Values:
        """See `Function`."""
        return np.maximum(left, right) if self.greatest else np.minimum(left, right)

    def emit(self, to: Emission) -> tuple[str, str]:
        """See `Function`."""
        name = "greater" if self.greatest else "lesser"
        to.define(f"EK_{name.upper()}")
        to.use("binary/extreme.h")
        return f"ek_{name}", "0"


def _integers(factors: tuple[Multipliers, ...]) -> tuple[list[int], list[int]]:
    return (
        [int(each.multiplier[0]) for each in factors],
        [int(each.shift[0]) for each in factors],
    )


def _zeros(call: Call) -> tuple[int, int, int]:
    return zero_of(call.input(0)), zero_of(call.input(1)), zero_of(call.output)


def _sum(call: Call) -> Sum:
    sign = -1 if call.op.name == "SUB" else 1
    # SUB computes its factors in float32
    real: Callable[[float], Any] = np.float32 if sign < 0 else np.float64
    left, right, out = (
        real(scale_of(tensor)) for tensor in (call.input(0), call.input(1), call.output)
    )
    twice = real(2.0) * max(left, right)
    reals = left / twice, right / twice, twice / (real(1 << _MORE_BITS) * out)
    one, two, three = (multiplier_of(float(each)) for each in reals)
    return Sum((one, two, three), _zeros(call), output_range(call), sign)


def _squared_difference(call: Call) -> SquaredDifference:
    left, right, out = scale_of(call.input(0)), scale_of(call.input(1)), scale_of(call.output)
    twice = 2.0 * max(left, right)
    # the product of the output's scale is one of float32
    square = twice * twice / float(np.float32(1 << 2 * _SQUARE_BITS) * np.float32(out))
    one, two, three = (multiplier_of(each) for each in (left / twice, right / twice, square))
    return SquaredDifference((one, two, three), _zeros(call))


def _product(call: Call) -> Product:
    factor = scale_of(call.input(0)) * scale_of(call.input(1)) / scale_of(call.output)
    return Product(multiplier_of(factor), _zeros(call), output_range(call))


def _prelu(call: Call) -> Prelu:
    left, right, out = scale_of(call.input(0)), scale_of(call.input(1)), scale_of(call.output)
    return Prelu((multiplier_of(left / out), multiplier_of(left * right / out)), _zeros(call))


FUNCTIONS: dict[str, Callable[[Call], Function]] = {
    "ADD": _sum,
    "SUB": _sum,
    "MUL": _product,
    "SQUARED_DIFFERENCE": _squared_difference,
    "PRELU": _prelu,
    "MAXIMUM": lambda call: Extreme(True),
    "MINIMUM": lambda call: Extreme(False),
}
