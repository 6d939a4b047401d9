"""Functions on 32-bit fixed-point numbers as TensorFlow Lite Micro computes them, exactly.

A number has some integer bits; the rest of its 31 bits are the fraction: raw * 2^(bits - 31).

Source: gemmlowp's fixedpoint.h, as tensorflow/tflite-micro uses it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.requantize import high_mul, round_shift

Raw = NDArray[np.int64]
_LEAST, _MOST = -(1 << 31), (1 << 31) - 1
_EXP_EIGHTH, _THIRD = 1895147668, 715827883
_EXPS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-2^n) for n from -2 on, raw with no integer bits."""
_48_17, _32_17 = 1515870810, -1010580540
"""48/17 and -32/17 with 2 integer bits: the first guess of Newton's method."""


def exp_negative(values: NDArray[Any], bits: int) -> Raw:
    """exp(value) of values <= 0 with `bits` integer bits; the result has none."""
    values = values.astype(np.int64)
    quarter = np.int64(1) << (29 - bits)
    part = (values & (quarter - 1)) - quarter
    result = _exp_small(_saturate(part << bits))
    rest = part - values
    for place, factor in enumerate(_EXPS[: bits + 2]):
        bit = np.int64(1) << (31 - bits + place - 2)
        result = np.where(rest & bit, high_mul(result, factor), result)
    return np.where(values == 0, _MOST, result)


def _exp_small(values: Raw) -> Raw:
    """exp(value) of values in [-1/4, 0): a polynomial around -1/8."""
    x = values + (1 << 28)
    square = high_mul(x, x)
    cube, fourth = high_mul(square, x), high_mul(square, square)
    sixth = high_mul(_shifted(fourth, 2) + cube, _THIRD)
    tail = x + _shifted(sixth + square, 1)
    return _EXP_EIGHTH + high_mul(np.full_like(tail, _EXP_EIGHTH), tail)


def one_over_one_plus(values: NDArray[Any]) -> Raw:
    """1 / (1 + value) of values in [0, 1); no integer bits."""
    return _saturate(_newton(values) << 1)


def one_minus_over_one_plus(values: NDArray[Any]) -> Raw:
    """(1 - value) / (1 + value) of values in [0, 1); no integer bits."""
    return _saturate((_newton(values) - (1 << 29)) << 2)


def _newton(values: NDArray[Any]) -> Raw:
    """2 / (1 + value) with 2 integer bits."""
    half = (values.astype(np.int64) + _MOST + 1) >> 1
    x = _48_17 + high_mul(half, _32_17)
    for _ in range(3):
        left = (1 << 29) - high_mul(half, x)
        x = x + _saturate(high_mul(x, left) << 2)
    return x


def logistic(values: NDArray[Any], bits: int) -> Raw:
    """1 / (1 + exp(-value)); the result has no integer bits."""
    values = values.astype(np.int64)
    positive = one_over_one_plus(exp_negative(-np.abs(values), bits))
    return np.where(values == 0, 1 << 30, np.where(values > 0, positive, _MOST - positive))


def tanh(values: NDArray[Any], bits: int) -> Raw:
    """tanh(value); the result has no integer bits."""
    values = values.astype(np.int64)
    size = one_minus_over_one_plus(exp_negative(-np.abs(values), bits + 1))
    return np.where(values == 0, 0, np.where(values < 0, -size, size))


def input_radius(bits: int, shift: int) -> int:
    """The greatest input that keeps within `bits` integer bits: `CalculateInputRadius`."""
    return int(((1 << bits) - 1) * (1 << (31 - bits)) / 2.0**shift)


def _shifted(values: Raw, right: int) -> Raw:
    return round_shift(values, right)


def _saturate(values: Raw) -> Raw:
    return np.clip(values, _LEAST, _MOST)
