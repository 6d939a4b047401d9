"""Affine quantisation, as TensorFlow Lite defines it: real = scale * (quantised - zero point).

Source: https://ai.google.dev/edge/litert/models/quantization_spec
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgekit.errors import ModelError

if TYPE_CHECKING:
    from edgekit.graph.graph import Tensor

_NUMBERS = (
    *("float32", "float16", "float64", "bool", "int8", "uint8"),
    *("int16", "uint16", "int32", "uint32", "int64", "uint64"),
)


def quantise(real: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Real values in the dtype of `tensor`, rounded half away from zero and clamped.

    Args:
        real: float32, any shape that broadcasts along the tensor's quantised axis.
        tensor: Its dtype, scale and zero point; without them integers are rounded, no more.

    Returns:
        An array of the shape of `real`; NaN becomes the zero point.

    Raises:
        ModelError: The dtype of `tensor` holds no numbers that numpy knows.
    """
    if tensor.dtype not in _NUMBERS:
        raise ModelError(
            f"tensor '{tensor.name}' is {tensor.dtype}, edgekit feeds numbers only",
            f"make a model whose inputs are one of {', '.join(_NUMBERS)}",
        )
    dtype = np.dtype(tensor.dtype)
    if dtype.kind not in "iu":
        return np.ascontiguousarray(real, dtype)
    steps = np.asarray(real, np.float32)
    zero: np.ndarray | int = 0
    if tensor.quantization is not None:
        scale, zero = _parameters(tensor, steps.ndim)
        steps = steps / scale
    steps = np.nan_to_num(steps)  # infinity becomes the largest float
    whole = np.trunc(steps).astype(np.float64)
    away = np.abs(steps - whole) >= 0.5
    rounded = whole + away * np.sign(steps) + zero
    low, high = limits(tensor.dtype)
    return np.asarray(np.clip(rounded, low, high), dtype)


def dequantise(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Values of the dtype of `tensor` as float32; without scales they are cast, no more."""
    if tensor.quantization is None or values.dtype.kind not in "iu":
        return np.asarray(values, np.float32)
    scale, zero = _parameters(tensor, values.ndim)
    return np.asarray((values.astype(np.int64) - zero) * scale, np.float32)


def real_range(tensor: Tensor) -> tuple[float, float] | None:
    """Lowest and highest real value a per-tensor quantised tensor can hold, else None."""
    if tensor.quantization is None or tensor.quantization.scale.size != 1:
        return None
    low, high = limits(tensor.dtype)
    scale = float(tensor.quantization.scale[0])
    zero = int(tensor.quantization.zero_point[0])
    return (low - zero) * scale, (high - zero) * scale


def limits(dtype: str) -> tuple[int, int]:
    """Lowest and highest integer of a dtype name; `int4` is unpacked into int8."""
    if dtype == "int4":
        return -8, 7
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def _parameters(tensor: Tensor, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and zero point, shaped to broadcast against an array of `rank`."""
    assert tensor.quantization is not None
    scale = np.asarray(tensor.quantization.scale, np.float32)
    zero = np.asarray(tensor.quantization.zero_point, np.int64)
    if scale.size > 1:
        shape = [1] * rank
        shape[tensor.quantization.axis] = -1
        return scale.reshape(shape), np.broadcast_to(zero, scale.shape).reshape(shape)
    return scale.reshape(()), zero.reshape(())
