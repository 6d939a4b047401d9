"""Each kernel alone rounded to few bits, symmetric, on the scales that the int8 file has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.weights import KINDS
from edgekit.sensitivities.changes import Change, Kernel, Kernels, Layer, of_kernel

BITS = (8, 6, 4)
_FLOAT = 32


def layers(kernels: Sequence[Kernel], per_channel: Mapping[int, bool]) -> Iterator[Layer]:
    """Every kernel that becomes int8, in each number of `BITS`.

    Args:
        kernels: Of the model.
        per_channel: Tensor index of such a kernel -> whether each output channel has a scale.
    """
    for kernel in kernels:
        if kernel.index in per_channel:
            own = per_channel[kernel.index]
            yield of_kernel("quantize", kernel, [_change(kernel, bits, own) for bits in BITS])


def _change(kernel: Kernel, bits: int, per_channel: bool) -> Change:
    def made() -> Kernels:
        channel = KINDS[kernel.op].channel if per_channel else None
        return {kernel.index: rounded(kernel.values, bits, channel)}

    return Change(bits, made, bits=(_FLOAT - bits) * int(kernel.values.size))


def rounded(values: NDArray[Any], bits: int, channel: int | None) -> NDArray[Any]:
    """Values on the nearest of 2^bits - 1 levels around zero; a scale for each index of `channel`.

    Source: https://ai.google.dev/edge/litert/models/quantization_spec, for other numbers of bits.
    """
    others = tuple(axis for axis in range(values.ndim) if axis != channel)
    largest = np.abs(values).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest, 1) / (2 ** (bits - 1) - 1)
    return np.asarray(np.round(values / scale) * scale, np.float32)
