"""One stretch of a file, in the smallest of all the forms that its bytes can take.

A stretch is a matrix [rows, columns] of elements of 1, 2 or 4 bytes. Stored are, where that is
smaller than all elements, its commonest element and the places and values of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.storage import positions, values, varint
from edgekit.storage.damaged import Damaged

WIDTHS = (1, 2, 4)


@dataclass(frozen=True)
class Matrix:
    """How a stretch of bytes is looked at.

    Attributes:
        rows, columns: Of elements.
        width: Bytes of an element: 1, 2 or 4.
    """

    rows: int
    columns: int
    width: int

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """Of the elements, little-endian."""
        return np.dtype(f"<u{self.width}")

    @property
    def elements(self) -> int:
        """Of all rows."""
        return self.rows * self.columns

    @property
    def nbytes(self) -> int:
        """Of the stretch."""
        return self.elements * self.width


@dataclass(frozen=True)
class Stored:
    """A stretch as it is stored.

    Attributes:
        positions, values: The forms that were the smallest.
        data: All that is stored, behind the description of the matrix.
    """

    positions: positions.Form
    values: values.Form
    data: bytes


def pack(content: bytes, matrix: Matrix) -> Stored:
    """`content` [matrix.nbytes] in its smallest form; of equal ones the first."""
    elements = np.frombuffer(content, matrix.dtype)
    found = [
        Stored(positions.Form.ALL, values.Form(data[0]), bytes([positions.Form.ALL]) + data)
        for data in values.stored(elements)
    ]
    if elements.size and matrix.rows > 1:
        found += _sparse(elements, matrix)
    return min(found, key=lambda stored: len(stored.data))


def unpack(data: bytes, matrix: Matrix) -> bytes:
    """What `pack` was given.

    Raises:
        Damaged: `data` is not what `pack` made of such a matrix.
    """
    try:
        form = positions.Form(data[0])
    except (IndexError, ValueError):
        raise Damaged("a stretch in a form that is not known") from None
    if form == positions.Form.ALL:
        return values.restored(data[1:], matrix.elements, matrix.dtype).tobytes()
    length, start = varint.read(data, 1)
    places_at = start + matrix.width
    end = places_at + length
    if end > len(data):
        raise Damaged("a stretch ends too early")
    places = positions.restored(data[places_at:end], form, matrix.rows, matrix.columns)
    common = np.frombuffer(data[start:places_at], matrix.dtype)
    elements = np.repeat(common, matrix.elements)
    elements[places] = values.restored(data[end:], len(places), matrix.dtype)
    return elements.tobytes()


def _sparse(elements: values.Values, matrix: Matrix) -> list[Stored]:
    """The stretch without its commonest element, in every form."""
    book, counts = np.unique(elements, return_counts=True)
    common = book[counts.argmax()]
    places = np.flatnonzero(elements != common)
    if 2 * len(places) > len(elements):
        return []  # a position costs a bit and more, as the commonest element does in Huffman codes
    by_row = min(values.stored(elements[places]), key=len)
    order = positions.column_by_column(places, matrix.columns)
    # the C inflates values to where the matrix ends, and spreads them from there in its order
    streamed = [data for data in values.stored(elements[order]) if data[0] != values.Form.DEFLATE]
    by_column = min(streamed, key=len)
    found = []
    for form, where in positions.stored(places, matrix.rows, matrix.columns):
        what = by_column if form == positions.Form.CSC else by_row
        data = bytes([form]) + varint.write(len(where)) + common.tobytes() + where + what
        found.append(Stored(form, values.Form(what[0]), data))
    return found
