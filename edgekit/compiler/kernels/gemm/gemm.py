"""Weights, biases and factors as the matrix kernel of a core wants them.

A kernel takes the inputs of some output pixels (columns) against all channels. `portable` and `mve`
read int8 columns with the zero point inside, so it is folded into the bias; `mve` takes 16 inputs
of four channels at a time, which lie next to each other. `dsp` reads columns of int16 with the zero
point taken off, so biases stay small enough for 16 bits, and two channels share a 16-bit weight:
with h = 256 * w1 + w0, one SMLAD adds 256 * acc1 + acc0, another of the low bytes acc0, and acc1
comes out by subtraction: exact while |acc1| < 2^23. Most convolutions have a kernel of their own
for that, which takes many pixels and all constants in one stream (see `runs`). `thumb2` has no such
instruction, and puts three pixels into two words instead (see gemm_thumb2.h): three
multiply-accumulates for the price of two, exact while sums over a segment of the depth keep below
2^20.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core, Isa
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.gemm.layout import pack, to_channels
from edgekit.compiler.kernels.gemm.matrix import Matrix
from edgekit.compiler.requantize import INT8_HIGH, INT8_LOW

_ALIGN = {"portable": 1, "thumb2": 1, "dsp": 4, "mve": 16}
_BYTES = {"portable": 2, "thumb2": 8, "dsp": 4, "mve": 2}
_CENTRED = ("thumb2", "dsp")
"""Whose columns have the zero point taken off."""
COLUMNS: dict[Isa, int] = {"portable": 2, "thumb2": 3, "dsp": 2, "mve": 2}
"""Output pixels that a matrix kernel takes at once."""
_TOGETHER = {"portable": 1, "thumb2": 1, "dsp": 2, "mve": 4}
"""Channels whose biases and factors are there, whether used or not."""
_PAIR, _WIDE = 1 << 23, 1 << 30
"""What the sums of a channel must stay below: as the higher of a pair; to be doubled."""
_LANE = 1 << 20
"""What the narrower sums of `thumb2` keep below, of either sign."""
_ALONE = 4096, 512
"""Weights, or inputs, of one pixel that are worth a loop of their own, by `thumb2`."""
_UNROLLED = 8
"""Inputs that the longest loop of `thumb2` takes in one round."""


def is_alone(matrix: Matrix, isa: Isa, pixels: int) -> bool:
    """Whether the loop of `thumb2` for a single pixel computes it, with a column of 16 bits."""
    weights, depth = _ALONE
    worth = matrix.weights.size >= weights or matrix.depth > depth
    return isa == "thumb2" and pixels == 1 and worth and is_fast(matrix, isa)


def column_bytes(matrix: Matrix, isa: Isa, pixels: int) -> int:
    """Bytes of the columns that are taken at once in working memory, of so many in all."""
    depth = matrix.depth
    if is_alone(matrix, isa, pixels):
        return (2 * depth + 3) // 4 * 4
    align = _ALIGN[isa]
    return (depth + align - 1) // align * align * _BYTES[isa]


def emit(
    matrix: Matrix,
    core: Core,
    to: Emission,
    what: str = "",
    weights: str | None = None,
    dense: bool = False,
    pixels: int = 0,
) -> str:
    """The constant `ek_gemm_t` of a matrix; returns its C name.

    Args:
        matrix: What is computed.
        core: Chooses the kernel.
        to: Where constants go.
        what: Begins their names, in layers with several matrices.
        weights: C of a pointer to weights, if they are not to be a constant.
        dense: Whether the kernel for one column reads it, not the one for two.
        pixels: How many columns there are, if it is known.
    """
    to.use("gemm/gemm.h")
    bias = matrix.bias if core.isa in _CENTRED else matrix.folded_bias()
    narrow = _narrow(matrix, core)
    to.define(f"EK_GEMM_BIAS{16 if narrow else 32}")
    by = matrix.by
    if len(by) == 1:
        by = by.take(np.zeros(matrix.channels, np.int64))
    fast = core.isa in _CENTRED and is_fast(matrix, core.isa, _WIDE if dense else _PAIR)
    # the shift to the right that is left after the last bit's rounding
    shift = -1 - by.shift if fast else by.shift
    form = _form(matrix, core, fast, shift, dense, pixels)
    for macro in form.macros:
        to.define(macro)
    if core.isa == "thumb2":  # shifts are read by words
        shift = np.pad(shift, (0, -len(shift) % 4))
    even = -matrix.channels % _TOGETHER[core.isa]
    bias, multiplier, shift = (
        np.pad(each, [(0, 0)] * (each.ndim - 1) + [(0, even)])
        for each in (bias, by.multiplier, shift)
    )
    return to.struct(
        "ek_gemm_t",
        f"{what}gemm",
        [
            weights or to.array(f"{what}weights", pack(matrix.weights, core.isa)),
            to.array(f"{what}bias", bias.astype(np.int16) if narrow else bias),
            to.array(f"{what}multiplier", multiplier),
            to.array(f"{what}shift", shift.astype(np.int8)),
            matrix.depth,
            matrix.channels,
            matrix.zero_in,
            matrix.zero_out,
            matrix.low,
            matrix.high,
            16 if narrow else 32,
            int(fast) + 2 * int(form.special),
            *form.lanes,
        ],
    )


@dataclass(frozen=True)
class _Form:
    """How the kernel of a core computes a matrix.

    Attributes:
        macros: What it must be compiled with.
        special: Whether it cuts at zero by itself; of Thumb-2: whether it takes one column.
        lanes: Of Thumb-2: see `_segments`.
    """

    macros: Sequence[str] = ()
    special: bool = False
    lanes: Sequence[int] = ()


def _form(
    matrix: Matrix, core: Core, fast: bool, shift: NDArray[Any], dense: bool, pixels: int
) -> _Form:
    if core.isa == "dsp":
        relu = fast and _cuts_at_zero(matrix)
        return _Form(_dense_macros(matrix) if dense else _macros(matrix, fast, relu), relu)
    if core.isa == "thumb2":
        alone, lanes = is_alone(matrix, core.isa, pixels), _segments(matrix)
        return _Form(_lane_macros(matrix, fast, alone, lanes), alone, lanes)
    if core.isa == "mve":
        relu = matrix.low == matrix.zero_out == INT8_LOW
        left = ["EK_MULTIPLY_LEFT"] if (shift > 0).any() else []
        return _Form(["EK_GEMM_RELU" if relu else "EK_GEMM_SIGNED", *left], relu)
    return _Form()


def bias_bytes(matrix: Matrix, core: Core) -> int:
    """Bytes of one set of biases."""
    even = -matrix.channels % _TOGETHER[core.isa]
    return (matrix.channels + even) * (2 if _narrow(matrix, core) else 4)


def _macros(matrix: Matrix, fast: bool, relu: bool) -> list[str]:
    """What the kernel for two columns must have for a matrix."""
    if not fast:
        return ["EK_GEMM_SLOW"]
    macros = ["EK_GEMM_RELU" if relu else "EK_GEMM_SIGNED"]
    if matrix.low > INT8_LOW or matrix.high < INT8_HIGH:
        macros.append("EK_GEMM_CLAMP")
    return macros + ["EK_GEMM_TAIL"] * bool(matrix.channels % 4)


def _dense_macros(matrix: Matrix) -> list[str]:
    """What the kernel for one column must have for a matrix."""
    if not is_fast(matrix, "dsp", _WIDE) or matrix.depth % 4 or matrix.channels < 4:
        return []
    clamps = matrix.low > INT8_LOW or matrix.high < INT8_HIGH
    return ["EK_DENSE_FAST"] + ["EK_GEMM_CLAMP"] * clamps


def _lane_macros(matrix: Matrix, fast: bool, alone: bool, lanes: list[int]) -> list[str]:
    """What the kernel for three columns must have for a matrix."""
    macros = ["EK_GEMM_SEGMENTS"] * (lanes[0] < matrix.depth)
    if not fast:
        return [*macros, "EK_GEMM_SLOW"]
    macros += ["EK_GEMM_ONE"] * alone + ["EK_GEMM_TAIL"] * bool(matrix.channels % 4)
    return [*macros, "EK_GEMM_SIGNED"]


def is_fast(matrix: Matrix, isa: Isa, widest: int = _PAIR) -> bool:
    """Whether the fast kernel of `isa` can hold sums and factors.

    `dsp`: sums are less than `widest`, and weights fit in pairs.
    """
    below = bool((matrix.by.shift < 0).all())
    if isa == "thumb2":  # the sums are doubled
        return below and bool(matrix.widest().max() < _WIDE // 2)
    return fits_pairs(matrix) and bool(matrix.widest().max() < widest) and below


def fits_pairs(matrix: Matrix) -> bool:
    """Whether 256 * w1 + w0 has 16 bits for each two channels."""
    pairs = to_channels(matrix.weights, 2).astype(np.int64).reshape(-1, 2, matrix.depth)
    return bool(np.abs(pairs[:, 1] * 256 + pairs[:, 0]).max(initial=0) < 1 << 15)


def _segments(matrix: Matrix) -> list[int]:
    """How many inputs first, and then at a time, keep the sums of `thumb2` within their lanes."""
    low, high = -128 - matrix.zero_in, 127 - matrix.zero_in
    weights = matrix.weights.astype(np.int64)
    ends = np.maximum(weights * low, weights * high), np.minimum(weights * low, weights * high)
    sums = [np.pad(np.cumsum(each, axis=1), ((0, 0), (1, 0))) for each in ends]
    parts = 0
    while True:
        parts += 1
        step = -(-matrix.depth // (parts * _UNROLLED)) * _UNROLLED
        cuts = [*range(matrix.depth, 0, -step), 0]
        reach = max(int(np.abs(np.diff(each[:, cuts], axis=1)).max(initial=0)) for each in sums)
        if reach < _LANE:
            return [cuts[-2], step]


def _cuts_at_zero(matrix: Matrix) -> bool:
    """Whether outputs are cut off at their zero point, and shifts leave room to add it early."""
    cut = matrix.low == matrix.zero_out == -128
    return cut and bool((matrix.by.shift > -22).all())


def _narrow(matrix: Matrix, core: Core) -> bool:
    return core.isa in _CENTRED and _fits16(matrix.bias)


def _fits16(values: NDArray[Any]) -> bool:
    return bool((np.abs(values.astype(np.int64)) < 1 << 15).all())
