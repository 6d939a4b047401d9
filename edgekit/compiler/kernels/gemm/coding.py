"""Weights with few values as 4-bit indices and tables, in the order in which kernels decode them.

A table holds up to 16 values: one for all channels, or one for each. `dsp` puts the indices of two
channels that share a word of weights into a byte; other kernels take a row after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Isa
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.gemm import gemm

VALUES = 16
_STRUCT = 12


@dataclass(frozen=True, eq=False)
class Coding:
    """A matrix of weights in few bits.

    Attributes:
        tables: int8 [1, 16], or [channels, 16]: a table for each channel.
        indices: uint8, two in a byte.
    """

    tables: NDArray[np.int8]
    indices: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """In flash."""
        return self.tables.nbytes + self.indices.nbytes + _STRUCT

    @property
    def each(self) -> bool:
        """Whether every channel has a table of its own."""
        return len(self.tables) > 1

    def constant(self, to: Emission, what: str = "") -> str:
        """The constant `ek_code_t`; returns its C name."""
        tables, indices = to.array(f"{what}tables", self.tables), to.array("indices", self.indices)
        return to.struct("ek_code_t", f"{what}code", [indices, tables, int(self.each)])


def code(weights: NDArray[np.int8], isa: Isa) -> Coding | None:
    """The shorter of both forms; None where a channel has more than 16 values.

    Args:
        weights: int8 [channels, depth].
        isa: Of the kernel.
    """
    if isa == "mve":
        return None
    padded = gemm.padded(weights) if isa == "dsp" else weights
    found = [_coded(padded, len(weights), one, isa) for one in (True, False)]
    return min((each for each in found if each), key=lambda each: each.nbytes, default=None)


def _coded(weights: NDArray[np.int8], channels: int, one: bool, isa: Isa) -> Coding | None:
    rows = weights.reshape(1, -1) if one else weights
    values = [np.unique(row) for row in rows]
    if max(map(len, values)) > VALUES:
        return None
    tables = np.array([np.pad(each, (0, VALUES - len(each))) for each in values], np.int8)
    places = [np.searchsorted(known, row) for known, row in zip(values, rows, strict=True)]
    indices = np.array(places, np.uint8).reshape(weights.shape)
    return Coding(tables, _packed(indices, channels, isa))


def _packed(indices: NDArray[np.uint8], channels: int, isa: Isa) -> NDArray[np.uint8]:
    if isa == "dsp":
        return gemm.blocks(indices[0::2] | indices[1::2] << 4, channels)
    even = np.pad(indices, ((0, 0), (0, indices.shape[1] % 2)))
    return np.asarray(even[:, 0::2] | even[:, 1::2] << 4)
