"""How values are stored, whatever they are: as they are, deflated, by a code book, by Huffman.

Values are elements of 1, 2 or 4 bytes, taken as unsigned integers: nothing is rounded.
Source: Han et al. 2016 (Deep Compression), arXiv:1510.00149, sections 3 and 4.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from edgekit.storage import bits, huffman
from edgekit.storage.damaged import Damaged

Values = NDArray[np.unsignedinteger]
LARGEST_BOOK = 256
_MEMORY = (8, 9)  # zlib's levels, which part its blocks otherwise
_MAP = 32  # bytes that have a bit for each value of a byte


class Form(IntEnum):
    """What the first byte of stored values says; the C reads the same numbers."""

    RAW = 0
    DEFLATE = 1
    BOOK = 2
    HUFFMAN = 3


def stored(values: Values) -> Iterator[bytes]:
    """The values in every form that can hold them, each with its first byte."""
    plain = values.tobytes()
    yield bytes([Form.RAW]) + plain
    yield bytes([Form.DEFLATE]) + deflated(plain)
    book, codes = np.unique(values, return_inverse=True)
    if 0 < len(book) <= LARGEST_BOOK:
        head = bytes([len(book) - 1]) + _book_bytes(book)
        yield bytes([Form.BOOK]) + head + bits.write(codes, _width(len(book)))
        code_lengths = huffman.lengths(np.bincount(codes))
        yield bytes([Form.HUFFMAN]) + head + huffman.encode(codes, code_lengths)


def restored(data: bytes, count: int, dtype: np.dtype[np.unsignedinteger]) -> Values:
    """`count` values of `dtype` from one of the forms of `stored`.

    Raises:
        Damaged: The bytes are no such form, or too few.
    """
    form, body = data[:1], data[1:]
    wanted = count * dtype.itemsize
    if form in (bytes([Form.RAW]), bytes([Form.DEFLATE])):
        plain = body if form[0] == Form.RAW else inflated(body, wanted)
        if len(plain) != wanted:
            raise Damaged(f"{len(plain)} bytes of values where {wanted} are due")
        return np.frombuffer(plain, dtype)
    if form not in (bytes([Form.BOOK]), bytes([Form.HUFFMAN])) or not body:
        raise Damaged("values in a form that is not known")
    size = body[0] + 1
    end = 1 + (_MAP if _mapped(size, dtype) else size * dtype.itemsize)
    book = _book(body[1:end], size, dtype)
    stream = bits.Reader(body[end:])
    if form[0] == Form.BOOK:
        codes = stream.many(count, _width(size))
    else:
        decoder = huffman.Decoder(stream, size)
        codes = np.array([decoder.symbol() for _ in range(count)], np.int64)
    if codes.size and codes.max() >= size:
        raise Damaged("a code beyond its book")
    return np.asarray(book[codes], dtype)


def deflated(content: bytes) -> bytes:
    """Raw deflate (RFC 1951), as small as zlib makes it."""
    return min((_deflated(content, memory) for memory in _MEMORY), key=len)


def _deflated(content: bytes, memory: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, memory)
    return packer.compress(content) + packer.flush()


def inflated(content: bytes, size: int) -> bytes:
    """At most `size` bytes of what `deflated` packed."""
    try:
        return zlib.decompressobj(-15).decompress(content, size + 1)
    except zlib.error as error:
        raise Damaged(f"deflated bytes cannot be read: {error}") from None


def _mapped(size: int, dtype: np.dtype[np.unsignedinteger]) -> bool:
    """Whether a book of bytes is stored as a bit for each of the 256: it is smaller."""
    return dtype.itemsize == 1 and size > _MAP


def _book_bytes(book: Values) -> bytes:
    if not _mapped(len(book), book.dtype):
        return book.tobytes()
    return np.packbits(np.isin(np.arange(256), book), bitorder="little").tobytes()


def _book(data: bytes, size: int, dtype: np.dtype[np.unsignedinteger]) -> Values:
    """The values of a book, ascending."""
    if not _mapped(size, dtype):
        book = np.frombuffer(data, dtype) if len(data) == size * dtype.itemsize else np.empty(0)
    else:
        book = np.flatnonzero(np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little"))
    if len(book) != size:
        raise Damaged("a code book of another size than it says")
    return book.astype(dtype)


def _width(size: int) -> int:
    """Bits of a code of a book of `size` values."""
    return (size - 1).bit_length()
