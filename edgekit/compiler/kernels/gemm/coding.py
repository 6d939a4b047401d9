"""Weights in few bits, in the order in which kernels decode them.

Weights with at most 16 values, in all or in each channel, become 4-bit indices into tables; with at
most two or four in all, indices of one bit or two. Weights that are mostly zero become a bit each,
and the others in a row. `dsp` takes the weights of two channels that share a word together; other
kernels take a channel after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Isa
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.gemm import layout
from edgekit.compiler.kernels.gemm.shared_values import shared_values

VALUES = 16
_NAMES = (
    *("16 values a tensor", "16 values a channel", "sparse", "16 values, scaled by channel"),
    *("2 values a tensor", "4 values a tensor"),
)
_STRUCT = 16
_TOGETHER = 8  # bytes that `ek_decode_one` takes at once


class Form(IntEnum):
    """How weights are stored; the numbers are those of `ek_code_t`."""

    ONE = 0
    EACH = 1
    SPARSE = 2
    SCALED = 3
    TWO = 4
    FOUR = 5

    def __str__(self) -> str:
        return _NAMES[self]


_FEW = {Form.TWO: 1, Form.FOUR: 2}
"""Bits of an index in forms that have few."""


@dataclass(frozen=True, eq=False)
class Coding:
    """A matrix of weights in few bits.

    Attributes:
        form: Which of the forms it is.
        tables: int8: 16 values (2, 4), 16 for each channel, or all weights that are not zero.
        indices: uint8: two indices of 4 bits in a byte (8 of 1, 4 of 2), or eight bits that tell
            zeros from others.
        words: uint32: of `SPARSE` where the values of each four channels begin; of `SCALED` 16
            bases, then a factor for each channel.
    """

    form: Form
    tables: NDArray[np.int8]
    indices: NDArray[np.uint8]
    words: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))

    @property
    def nbytes(self) -> int:
        """In flash."""
        return self.tables.nbytes + self.indices.nbytes + self.words.nbytes + _STRUCT

    def memory(self, isa: Isa) -> int:
        """Bytes of working memory that decoding takes: what (pairs of) indices stand for."""
        if self.form == Form.SCALED:
            return 4 * VALUES
        if self.form in _FEW:
            return 4 * VALUES * _FEW[self.form] if isa == "dsp" else 0
        return 2 * VALUES * VALUES if isa == "dsp" and self.form == Form.ONE else 0

    def constant(self, to: Emission) -> str:
        """The constant `ek_code_t`; returns its C name."""
        to.define(f"EK_DECODE_{self.form.name}")
        if self.form in _FEW:
            to.define("EK_DECODE_FEW")
        tables = to.array("tables", self.tables) if self.tables.size else "0"
        arrays = to.array("indices", self.indices), tables
        words = to.array("words", self.words) if self.words.size else "0"
        return to.struct("ek_code_t", "code", [*arrays, words, int(self.form)])


def code(
    weights: NDArray[np.int8], isa: Isa, scales: NDArray[np.float64] | None = None
) -> Coding | None:
    """The shortest form; None where the kernels of `isa` have none.

    Args:
        weights: int8 [channels, depth].
        isa: Of the kernel.
        scales: Of the channels, but for a factor, float64 [channels]; None: all the same.
    """
    if isa == "mve":
        return None
    found = [_few(weights, form, isa) for form in (Form.TWO, Form.FOUR)]
    found += [_coded(weights, Form.ONE, isa), _coded(weights, Form.EACH, isa)]
    if isa != "thumb2":
        found.append(_sparse(weights, isa))
    if scales is not None and isa != "thumb2":
        found.append(_scaled(weights, scales, isa))
    return min((each for each in found if each), key=lambda each: each.nbytes, default=None)


def _coded(weights: NDArray[np.int8], form: Form, isa: Isa) -> Coding | None:
    whole = _whole(weights, isa)
    rows = whole.reshape(1, -1) if form == Form.ONE else whole
    values = [np.unique(row) for row in rows]
    if max(map(len, values)) > VALUES:
        return None
    tables = np.array([np.pad(each, (0, VALUES - len(each))) for each in values], np.int8)
    places = [np.searchsorted(known, row) for known, row in zip(values, rows, strict=True)]
    indices = np.array(places, np.uint8).reshape(whole.shape)
    return Coding(form, tables, _packed(indices, len(weights), isa))


def _few(weights: NDArray[np.int8], form: Form, isa: Isa) -> Coding | None:
    whole, bits = _filled(weights, isa), _FEW[form]
    values = np.unique(whole)
    if len(values) > 1 << bits:
        return None
    tables = np.pad(values, (0, (1 << bits) - len(values))).astype(np.int8)
    indices = np.searchsorted(values, whole).astype(np.uint8)
    if isa == "dsp":
        both = layout.blocks(indices[0::2] | indices[1::2] << bits, len(weights))
        return Coding(form, tables, _side_by_side(both[None], 2 * bits)[0])
    return Coding(form, tables, _side_by_side(indices, bits))


def _filled(weights: NDArray[np.int8], isa: Isa) -> NDArray[np.int8]:
    """Padded as `_whole`, but if it can be without a zero among the values.

    Behind its inputs a column is zero, so that any value will do; but a word of it that begins
    behind them, as there is one behind a single input, holds anything.
    """
    channels, depth = weights.shape
    if isa != "dsp" or depth % 4 == 1:
        return _whole(weights, isa)
    return np.pad(weights, ((0, channels % 2), (0, -depth % 4)), mode="edge")


def _side_by_side(indices: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Rows of indices in bytes, the first one in the lowest bits."""
    per = 8 // bits
    even = np.pad(indices, ((0, 0), (0, -indices.shape[1] % per))).reshape(len(indices), -1, per)
    return np.asarray(np.bitwise_or.reduce(even << np.arange(0, 8, bits, dtype=np.uint8), axis=2))


def _scaled(weights: NDArray[np.int8], scales: NDArray[np.float64], isa: Isa) -> Coding | None:
    whole = _whole(weights, isa)
    scales = np.pad(scales, (0, len(whole) - len(scales)), mode="edge")
    shared = shared_values(whole, scales, VALUES)
    if shared is None:
        return None
    words = np.concatenate([shared.bases, shared.factors]).view(np.uint32)
    indices = _packed(shared.indices, len(weights), isa)
    return Coding(Form.SCALED, np.zeros(0, np.int8), indices, words)


def _whole(weights: NDArray[np.int8], isa: Isa) -> NDArray[np.int8]:
    """Padded as the kernel reads them; a channel that nobody reads brings no values of its own."""
    if isa != "dsp":
        return weights
    whole = layout.padded(weights)
    whole[len(weights) :] = whole[len(weights) - 1]
    return whole


def _packed(indices: NDArray[np.uint8], channels: int, isa: Isa) -> NDArray[np.uint8]:
    if isa == "dsp":
        both = layout.blocks(indices[0::2] | indices[1::2] << 4, channels)
        return np.pad(both, (0, -len(both) % _TOGETHER))
    even = np.pad(indices, ((0, 0), (0, indices.shape[1] % 2)))
    return np.asarray(even[:, 0::2] | even[:, 1::2] << 4)


def _sparse(weights: NDArray[np.int8], isa: Isa) -> Coding:
    if isa == "dsp":
        whole = layout.padded(weights)
        pairs = [layout.blocks(whole[first::2], len(weights)) for first in (0, 1)]
        ordered = np.stack(pairs, axis=-1).reshape(len(whole), -1)
    else:
        ordered = weights
    some = ordered != 0
    counts = np.append(0, np.cumsum(some.sum(axis=1)))
    values = np.append(ordered[some], 0).astype(np.int8)  # one more is read where no bit is set
    return Coding(
        Form.SPARSE,
        values,
        np.packbits(some, axis=1, bitorder="little") if isa != "dsp" else _bits(some),
        counts[: len(weights) : 4].astype(np.uint32),
    )


def _bits(some: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.packbits(some.ravel(), bitorder="little")
