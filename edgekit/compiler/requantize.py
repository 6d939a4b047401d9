"""Fixed-point arithmetic as TensorFlow Lite Micro does it, exactly.

Source: tensorflow/lite/kernels/internal/common.h and quantization_util.cc of
tensorflow/tflite-micro; Jacob et al. 2018, arXiv:1712.05877, section 2.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

INT8_LOW, INT8_HIGH = -128, 127


@dataclass(frozen=True, eq=False)
class Multipliers:
    """Real factors as integers: value * multiplier * 2^(shift - 31).

    Attributes:
        multiplier: int32 [n], 0 or from 2^30 on.
        shift: int32 [n]; negative: to the right.
    """

    multiplier: NDArray[np.int32]
    shift: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.multiplier)

    def take(self, channels: NDArray[Any]) -> Multipliers:
        """Those of some channels."""
        return Multipliers(self.multiplier[channels], self.shift[channels])


def quantize_multiplier(factor: float) -> tuple[int, int]:
    """A real factor >= 0 as (multiplier, shift): TFLite's `QuantizeMultiplier`."""
    if factor == 0.0:
        return 0, 0
    fraction, shift = math.frexp(factor)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    if shift < -31:
        return 0, 0
    if shift > 30:
        return (1 << 31) - 1, 30
    return multiplier, shift


def multipliers(factors: NDArray[np.float64]) -> Multipliers:
    """Factors, float64 [n], as integers."""
    pairs = [quantize_multiplier(float(factor)) for factor in factors]
    return Multipliers(
        np.array([pair[0] for pair in pairs], np.int32),
        np.array([pair[1] for pair in pairs], np.int32),
    )


def multiply(values: NDArray[Any], by: Multipliers) -> NDArray[np.int64]:
    """`MultiplyByQuantizedMultiplier` with double rounding, along the last axis of `values`.

    Args:
        values: int32 [..., n], or anything that broadcasts with [n].
        by: n factors, or one.

    Returns:
        int64 of the same shape, within int32.
    """
    left = np.maximum(by.shift, 0).astype(np.int64)
    right = np.maximum(-by.shift, 0).astype(np.int64)
    shifted = wrap32(values.astype(np.int64) << left)
    return round_shift(high_mul(shifted, by.multiplier.astype(np.int64)), right)


def high_mul(left: NDArray[np.int64], right: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """`SaturatingRoundingDoublingHighMul`; both sides within int32, int32 minimum not twice."""
    return (left * right + (1 << 30)) >> 31


def round_shift(values: NDArray[np.int64], right: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """`RoundingDivideByPOT`: to nearest, halves away from zero."""
    mask = (np.int64(1) << right) - 1
    threshold = (mask >> 1) + (values < 0)
    return (values >> right) + ((values & mask) > threshold)


def wrap32(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Integers as 32 bits hold them."""
    return ((values + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def activation_range(name: str, scale: float, zero_point: int) -> tuple[int, int]:
    """The int8 range that a fused activation leaves: `CalculateActivationRangeQuantized`.

    Raises:
        ValueError: An activation that int8 kernels do not know.
    """

    def quantized(real: float) -> int:
        ratio = np.float32(real) / np.float32(scale)
        return zero_point + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))

    low, high = INT8_LOW, INT8_HIGH
    if name in ("RELU", "RELU6"):
        low = max(low, quantized(0.0))
    if name == "RELU6":
        high = min(high, quantized(6.0))
    elif name == "RELU_N1_TO_1":
        low, high = max(low, quantized(-1.0)), min(high, quantized(1.0))
    elif name not in ("NONE", "RELU"):
        raise ValueError(name)
    return low, high


def multiplier_of(factor: float) -> Multipliers:
    """One factor as integers."""
    return multipliers(np.array([factor], np.float64))
