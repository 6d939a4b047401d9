"""Bilinear resize that a device can repeat."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError


def resize(row: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Bilinear resize of [H, W] or [H, W, C]: half-pixel centres, no antialiasing.

    The same as OpenCV's INTER_LINEAR and `tf.image.resize`, so a device can repeat it. float32.
    """
    if row.ndim not in (2, 3):
        raise DataError(
            f"resize={height}x{width} needs pictures; a row has shape {row.shape}",
            "leave resize out",
        )
    if row.shape[:2] == (height, width):
        return row
    value = row.astype(np.float32)
    for axis, size in ((0, height), (1, width)):
        low, high, weight = _neighbours(value.shape[axis], size)
        weight = weight.reshape([-1 if i == axis else 1 for i in range(value.ndim)])
        value = value.take(low, axis) * (1 - weight) + value.take(high, axis) * weight
    return value


def _neighbours(size: int, new: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    centre = np.clip((np.arange(new) + 0.5) * (size / new) - 0.5, 0, size - 1)
    low = np.floor(centre).astype(np.int64)
    return low, np.minimum(low + 1, size - 1), (centre - low).astype(np.float32)
