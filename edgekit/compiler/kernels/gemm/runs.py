"""The matrix kernel of `dsp` for runs of pixels: all that a block of channels needs, in one stream.

Columns and weights are those of `ek_gemm_fast` (see `gemm`), four channels of two pixels at a time.
But biases, factors and shifts lie beside the weights that they belong to; the kernel itself takes
the inputs of one pair of pixels after the other from where they lie; and it requantizes by one
product where that is exact (see `one_product`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.gemm import gemm
from edgekit.compiler.kernels.gemm.layout import to_depth
from edgekit.compiler.kernels.gemm.matrix import Matrix
from edgekit.compiler.kernels.gemm.one_product import SCALE, one_product
from edgekit.compiler.requantize import INT8_HIGH, INT8_LOW

_LONG = range(17, 33)
"""Steps behind the first one that take two rounds of sixteen, but one of 32."""


def fits(matrix: Matrix) -> bool:
    """Whether the kernel can hold sums, weights and factors; it takes one set, and two steps."""
    return matrix.bias.ndim == 1 and matrix.depth > 2 and gemm.is_fast(matrix, "dsp")


def slots(row: int) -> int:
    """Inputs of a column that a row of so many takes: pairs of every second one of four."""
    return row // 4 * 4 + (0, 2, 4, 4)[row % 4]


def emit(matrix: Matrix, rows: int, to: Emission) -> str:
    """The constant `ek_gemm_t` of a matrix; returns its C name.

    Args:
        matrix: What is computed.
        rows: How many rows the inputs of a pixel come in.
        to: Where constants go.
    """
    to.use("gemm/runs.h")
    steps = _steps(matrix, rows)
    stream, one = _constants(matrix, steps, steps.shape[1], to)
    return _struct(matrix, [to.array("weights", stream), 0], 0, one, to)


def emit_apart(matrix: Matrix, to: Emission) -> str:
    """The same where weights are decoded to the working memory: a stream of all the others."""
    steps = np.zeros((matrix.channels // 2, 0), np.uint32)
    stream, one = _constants(matrix, steps, -(-matrix.depth // 4) * 2, to)
    bits = 8 * stream.nbytes // matrix.channels
    return _struct(matrix, [0, to.array("constants", stream)], bits, one, to)


def _constants(
    matrix: Matrix, steps: NDArray[np.uint32], count: int, to: Emission
) -> tuple[NDArray[np.uint32], bool]:
    """The stream, and whether one product requantizes; `count` steps decide about the loop."""
    one = one_product(matrix)
    if count - 1 in _LONG:
        to.define("EK_RUNS_LONG")
    to.define("EK_RUNS_ONE_PRODUCT" if one else "EK_RUNS_SIGNED")
    if matrix.low > INT8_LOW or matrix.high < INT8_HIGH:
        to.define("EK_GEMM_CLAMP")
    if matrix.channels % 4:
        to.define("EK_GEMM_TAIL")
    if one:
        return _stream(steps, one.offset, one.offset, one.factor, None), True
    bias, by = matrix.bias, matrix.by
    if len(by) == 1:
        by = by.take(np.zeros(matrix.channels, np.int64))
    # sums of even channels are doubled, of odd ones scaled, before their offset
    return _stream(steps, SCALE * bias, 2 * bias, by.multiplier, -1 - by.shift), False


def _struct(matrix: Matrix, streams: list[object], bits: int, one: bool, to: Emission) -> str:
    fields = [matrix.depth, matrix.channels, matrix.zero_in, matrix.zero_out]
    limits = [matrix.low, matrix.high, bits, 3 if one else 1]
    return to.struct("ek_gemm_t", "gemm", [*streams, 0, 0, *fields, *limits])


def _steps(matrix: Matrix, rows: int) -> NDArray[np.uint32]:
    """Words of two inputs of two channels, uint32 [pairs of channels, steps]."""
    row = matrix.depth // rows
    weights = to_depth(matrix.weights.reshape(-1, row), 4).reshape(matrix.channels, rows, -1)
    weights = np.pad(weights, ((0, matrix.channels % 2), (0, 0), (0, 0))).astype(np.int64)
    pairs = (weights[1::2] * SCALE + weights[0::2]) & 0xFFFF
    pairs = pairs.reshape(len(pairs), rows, -1, 4)[..., [0, 2, 1, 3]]
    pairs = pairs.reshape(len(pairs), rows, -1)[..., : slots(row)]
    two = pairs.reshape(len(pairs), -1, 2)
    return np.asarray(two[..., 0] | two[..., 1] << 16).astype(np.uint32)


def _stream(
    steps: NDArray[np.uint32],
    odd: NDArray[Any],
    even: NDArray[Any],
    factor: NDArray[np.int32],
    shift: NDArray[np.int32] | None,
) -> NDArray[np.uint32]:
    """For four channels, then for two: offsets of odd ones, weights, shifts, offsets, factors."""
    channels, pairs = len(odd), len(steps)
    odds, evens = _by_pairs(odd, pairs)[:, 1], _by_pairs(even, pairs)[:, 0]
    shifts = None if shift is None else _by_pairs(shift, pairs)
    ends = np.column_stack([evens, _by_pairs(factor, pairs)])
    fours = channels // 4 * 2
    parts = []
    for at in [*range(0, fours, 2), *range(fours, pairs)]:
        some = slice(at, at + (2 if at < fours else 1))
        parts += [odds[some], steps[some].T.ravel().astype(np.int64)]
        if shifts is not None:
            parts.append(_bytes(shifts[some].ravel()))
        parts.append(ends[some].ravel())
    return np.asarray(np.concatenate(parts) & 0xFFFFFFFF).astype(np.uint32)


def _by_pairs(values: NDArray[Any], pairs: int) -> NDArray[np.int64]:
    values = values.astype(np.int64)
    return np.pad(values, (0, 2 * pairs - len(values))).reshape(pairs, 2)


def _bytes(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([sum(int(value) << 8 * at for at, value in enumerate(values))])
