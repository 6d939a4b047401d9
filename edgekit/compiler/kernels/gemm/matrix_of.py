"""The matrix of a CONV_2D and its like, from the call that the model has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.kernels.gemm.matrix import Matrix
from edgekit.compiler.operation import Call, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import activation_range, multiplier_of, multipliers


def matrix_of(call: Call, weights: NDArray[np.int8]) -> Matrix:
    """Weights [channels, depth] with bias, factors and range of a CONV_2D and its like."""
    source, kernel, out = call.input(0), call.input(1), call.output
    assert kernel.quantization is not None
    if np.any(kernel.quantization.zero_point != 0):
        raise Unsupported("its weights have a zero point")
    bias = np.zeros(len(weights), np.int32)
    if call.has(2):
        bias = call.constant(2).astype(np.int64).astype(np.int32).ravel()
    scales = kernel.quantization.scale
    if len(scales) > 1 or call.op.name != "FULLY_CONNECTED":
        factors = scale_of(source) * scales.astype(np.float64) / scale_of(out)
        by = multipliers(np.broadcast_to(factors, (len(weights),)))
    else:
        by = multiplier_of(float(np.float32(scale_of(source)) * scales[0]) / scale_of(out))
    try:
        low, high = activation_range(call.activation(), scale_of(out), zero_of(out))
    except ValueError as error:
        raise Unsupported(f"the fused activation {error}") from None
    return Matrix(weights, bias, by, zero_of(source), zero_of(out), low, high).settled()
