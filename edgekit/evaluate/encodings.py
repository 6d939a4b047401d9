"""Bytes of a kernel, by how it is stored. Nothing is stored here: the sizes are counted.

- dense: every value.
- CSR: of each output channel only what is not zero, as value and one byte that counts the zeros
  before it (of more than 255 zeros, each 256th is stored), and where each channel begins: 2 bytes,
  4 where there are more than 65,535 entries. Relative indices as in Deep Compression, section 2.
- code book: the distinct values, and for each weight ceil(log2 k) bits that say which of the k it
  is (section 3). One book for the kernel, or one for each output channel, whichever is smaller.

Source: Han et al. 2016, arXiv:1510.00149.
"""

from __future__ import annotations

import numpy as np

_GAP = 256  # positions that one byte of distance spans
_SHORT = 1 << 16  # entries that two bytes can count


def dense(elements: int, bits: int) -> int:
    """Bytes of `elements` values of `bits` each."""
    return (elements * bits + 7) // 8


def csr(kept: np.ndarray, bits: int) -> int:
    """Bytes as CSR.

    Args:
        kept: Bool [output channels, n]: what is not zero.
        bits: Of one value.
    """
    row, column = np.nonzero(kept)
    before = np.concatenate([[-1], column[:-1]])
    before[np.flatnonzero(np.diff(row)) + 1] = -1
    fillers = int(((column - before - 1) // _GAP).sum()) if column.size else 0
    entries = column.size + fillers
    return dense(entries, bits + 8) + (len(kept) + 1) * (2 if entries < _SHORT else 4)


def code_book(rows: np.ndarray, bits: int) -> int:
    """Bytes with a code book.

    Args:
        rows: Values [output channels, n].
        bits: Of one value.
    """
    one, largest = int(distinct(rows.reshape(1, -1))[0]), int(distinct(rows).max())
    return min(
        dense(rows.size, (values - 1).bit_length()) + dense(books * values, bits)
        for values, books in ((one, 1), (largest, len(rows)))
    )


def distinct(rows: np.ndarray) -> np.ndarray:
    """int64 [rows]: how many different values each row of [rows, n] has."""
    ordered = np.sort(rows, axis=1)
    return np.asarray((ordered[:, 1:] != ordered[:, :-1]).sum(axis=1) + 1)
