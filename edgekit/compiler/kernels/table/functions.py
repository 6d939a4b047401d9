"""int8 functions of one value, for all 256 of them, as TensorFlow Lite Micro computes them.

Each takes the operator and its inputs less the zero point, int64 [256], and gives outputs before
they are cut to int8.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler import fixed_point
from edgekit.compiler.operation import Call, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import multiplier_of, multiply, quantize_multiplier, round_shift

Values = NDArray[np.int64]
_BITS = 4
"""Integer bits of the arguments of LOGISTIC and TANH."""


def logistic(call: Call, values: Values) -> Values:
    """Source: reference/integer_ops/logistic.h; micro/kernels/logistic_common.cc."""
    if zero_of(call.output) != -128:
        raise Unsupported(f"its output has the zero point {zero_of(call.output)}")
    return _curve(call, values, fixed_point.logistic, 23) - 128


def tanh(call: Call, values: Values) -> Values:
    """Source: reference/integer_ops/tanh.h; micro/kernels/tanh.cc."""
    return _curve(call, values, fixed_point.tanh, 24)


def _curve(
    call: Call, values: Values, function: Callable[[Values, int], Values], right: int
) -> Values:
    """A function of the real value; beyond the radius its limits, the ends of int8 and more."""
    by = multiplier_of(scale_of(call.input(0)) * (1 << (31 - _BITS)))
    inside = np.abs(values) < fixed_point.input_radius(_BITS, int(by.shift[0]))
    raw = multiply(np.where(inside, values, 0), by)
    out = round_shift(function(raw, _BITS), right)
    return np.where(inside, out, np.where(values < 0, -1000, 1000))


def relu(call: Call, values: Values) -> Values:
    """Source: micro/kernels/activations_common.cc."""
    ratio = np.float32(scale_of(call.input(0))) / np.float32(scale_of(call.output))
    zero = zero_of(call.output)
    return np.maximum(multiply(values, multiplier_of(float(ratio))) + zero, zero)


def relu6(call: Call, values: Values) -> Values:
    """Between the zero point and 6 of the input's scale; the output's is taken to be the same."""
    source = call.input(0)
    zero = zero_of(source)
    six = math.floor(float(np.float32(6.0) / np.float32(scale_of(source))) + 0.5) + zero
    return np.clip(values + zero, zero, min(six, 127))


def leaky_relu(call: Call, values: Values) -> Values:
    """Source: reference/leaky_relu.h; micro/kernels/leaky_relu_common.cc."""
    scale, out = np.float32(scale_of(call.input(0))), np.float32(scale_of(call.output))
    alpha = np.float32(call.option("alpha", 0.0))
    if not alpha >= 0:
        raise Unsupported(f"a slope of {alpha}")
    above = multiply(values, multiplier_of(float(scale / out)))
    below = multiply(values, multiplier_of(float(scale * alpha / out)))
    return np.where(values >= 0, above, below) + zero_of(call.output)


def hard_swish(call: Call, values: Values) -> Values:
    """x * relu6(x + 3) / 6 on 16 bits.

    Source: reference/hard_swish.h; micro/kernels/hard_swish_common.cc.
    """
    fine = np.float32(1 / 128) * np.float32(scale_of(call.input(0)))
    factor, exponent = _short(float(fine / np.float32(scale_of(call.output))))
    if exponent > 0:
        raise Unsupported("its output has a much smaller scale than its input")
    share, shift = _short(float(fine / (np.float32(3) / np.float32(32768))))
    fine_values = values << 7
    scaled = _short_mul(fine_values, factor)
    part = _saturate(fine_values << max(shift - 1, 0))
    part = _short_mul(part, share)
    part = _saturate(part << 1) if shift > 0 else round_shift(part, -shift)
    part = (part + (1 << 15)) >> 1
    product = part * scaled
    product = np.sign(product) * (np.abs(product) >> 15)  # to zero
    return round_shift(product, -exponent) + zero_of(call.output)


def elu(call: Call, values: Values) -> Values:
    """x, or exp(x) - 1 below 0, in float32. Source: micro/kernels/elu.cc."""
    real = np.float32(scale_of(call.input(0))) * values.astype(np.float32)
    below = np.exp(np.minimum(real, 0).astype(np.float64)).astype(np.float32) - np.float32(1)
    scaled = np.where(real < 0, below, real) * (np.float32(1) / np.float32(scale_of(call.output)))
    rounded = np.copysign(np.floor(np.abs(scaled.astype(np.float64)) + 0.5), scaled)
    return rounded.astype(np.int64) + zero_of(call.output)


def absolute(call: Call, values: Values) -> Values:
    """Source: micro/kernels/elementwise.cc."""
    scale, out = np.float32(scale_of(call.input(0))), np.float32(scale_of(call.output))
    size = np.abs(values)
    if scale != out:
        size = multiply(size, multiplier_of(float(scale / out)))
    return size + zero_of(call.output)


def _short(factor: float) -> tuple[int, int]:
    """A factor as a multiplier of 16 bits and a shift."""
    multiplier, shift = quantize_multiplier(factor)
    if multiplier >= (1 << 31) - 1 - (1 << 15):
        return (1 << 15) - 1, shift
    return (multiplier + (1 << 15)) >> 16, shift


def _short_mul(values: Values, factor: int) -> Values:
    """`SaturatingRoundingDoublingHighMul` of 16 bits."""
    return _saturate((values * factor + (1 << 14)) >> 15)


def _saturate(values: Values) -> Values:
    return np.clip(values, -(1 << 15), (1 << 15) - 1)


FUNCTIONS: dict[str, Callable[[Call, Values], Values]] = {
    "LOGISTIC": logistic,
    "TANH": tanh,
    "RELU": relu,
    "RELU6": relu6,
    "LEAKY_RELU": leaky_relu,
    "HARD_SWISH": hard_swish,
    "ELU": elu,
    "ABS": absolute,
}
