"""Where the values of a pruned matrix are: all places, gaps, COO, CSR, CSC.

Of a matrix [rows, columns] only what differs from its commonest value (zero, in a pruned layer) is
stored, in the order of its rows, of its columns for CSC. Gaps are relative indices (Han et al.
2016, arXiv:1510.00149, section 2) in Huffman codes; a gap too long for a symbol is parted.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from edgekit.storage import bits, huffman
from edgekit.storage.damaged import Damaged

Places = NDArray[np.int64]
COUNT_BITS = 32
GAP_BITS = (3, 4, 5, 6, 7, 8)


class Form(IntEnum):
    """How positions are stored; the C reads the same numbers."""

    ALL = 0
    GAPS = 1
    COO = 2
    CSR = 3
    CSC = 4


def stored(places: Places, rows: int, columns: int) -> Iterator[tuple[Form, bytes]]:
    """Ascending places [n] of a matrix, as flat indices, in every form but `ALL`."""
    count = bits.write(np.array([len(places)]), COUNT_BITS)
    row, column = np.divmod(places, columns)
    row_bits, column_bits = (rows - 1).bit_length(), (columns - 1).bit_length()
    yield Form.GAPS, count + _gaps(places)
    pairs = np.stack([row, column], axis=1).ravel()
    widths = np.tile([row_bits, column_bits], len(places))
    yield Form.COO, count + bits.write(pairs, widths)
    yield Form.CSR, count + _lists(row, column, rows, column_bits)
    order = np.argsort(column, kind="stable")
    yield Form.CSC, count + _lists(column[order], row[order], columns, row_bits)


def column_by_column(places: Places, columns: int) -> Places:
    """Ascending places in the order of their columns, in which CSC has their values."""
    return places[np.argsort(places % columns, kind="stable")]


def restored(data: bytes, form: Form, rows: int, columns: int) -> Places:
    """The places in the order of their values.

    Raises:
        Damaged: The bytes are no such form, too few, or name places that are not there.
    """
    stream = bits.Reader(data)
    count = int(stream.many(1, COUNT_BITS)[0])
    if count > rows * columns:
        raise Damaged("more positions than there are places")
    row_bits, column_bits = (rows - 1).bit_length(), (columns - 1).bit_length()
    if form == Form.GAPS:
        places = _from_gaps(stream, count)
    elif form == Form.COO:
        pairs = stream.many(count, row_bits + column_bits)
        places = (pairs & ((1 << row_bits) - 1)) * columns + (pairs >> row_bits)
    elif form == Form.CSR:
        row, column = _from_lists(stream, count, rows, column_bits)
        places = row * columns + column
    else:
        column, row = _from_lists(stream, count, columns, row_bits)
        places = row * columns + column
    if places.size and (places.max() >= rows * columns or len(np.unique(places)) < count):
        raise Damaged("a position outside of its matrix, or twice")
    return places


def _gaps(places: Places) -> bytes:
    """Bits of a symbol, then the symbols' codes; the last symbol skips and stores nothing."""
    between = np.diff(places, prepend=-1) - 1
    best: tuple[int, int, NDArray[np.int64], NDArray[np.int64]] | None = None
    for width in GAP_BITS:
        symbols = _symbols(between, (1 << width) - 1)
        counts = np.bincount(symbols, minlength=1 << width)
        code_lengths = huffman.lengths(counts)
        size = huffman.size(counts, code_lengths)
        if best is None or size < best[0]:
            best = size, width, symbols, code_lengths
    assert best is not None, "no width of a gap"
    _, width, symbols, code_lengths = best
    return bytes([width]) + huffman.encode(symbols, code_lengths)


def _symbols(between: Places, longest: int) -> NDArray[np.int64]:
    skips, last = np.divmod(between, longest)
    ends = np.cumsum(skips + 1)
    symbols = np.full(int(ends[-1]) if ends.size else 0, longest, np.int64)
    symbols[ends - 1] = last
    return symbols


def _from_gaps(stream: bits.Reader, count: int) -> Places:
    width = int(stream.many(1, 8)[0])
    if width not in GAP_BITS:
        raise Damaged("gaps of a width that is not known")
    decoder, skip = huffman.Decoder(stream, 1 << width), (1 << width) - 1
    places = np.empty(count, np.int64)
    at = -1
    for number in range(count):
        symbol = decoder.symbol()
        while symbol == skip:
            at += skip
            symbol = decoder.symbol()
        at += symbol + 1
        places[number] = at
    return places


def _lists(outer: Places, inner: Places, lists: int, inner_bits: int) -> bytes:
    """How many places each list has, after the bits of such a number - 5, then the places."""
    lengths = np.bincount(outer, minlength=lists)
    width = int(lengths.max(initial=0)).bit_length()
    numbers = np.concatenate([[width], lengths, inner])
    widths = np.concatenate([[5], np.full(lists, width), np.full(len(inner), inner_bits)])
    return bits.write(numbers, widths)


def _from_lists(
    stream: bits.Reader, count: int, lists: int, inner_bits: int
) -> tuple[Places, Places]:
    width = int(stream.many(1, 5)[0])
    lengths = stream.many(lists, width)
    if lengths.sum() != count:
        raise Damaged("lists that do not hold what they should")
    return np.repeat(np.arange(lists), lengths), stream.many(count, inner_bits)
