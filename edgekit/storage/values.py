"""How values are stored, whatever they are: as they are, deflated, by a code book, by Huffman.

Values are elements of 1, 2 or 4 bytes, taken as unsigned integers: nothing is rounded.
A code book is of values, or of blocks of several values in a row (a product code book).
Sources: Han et al. 2016 (Deep Compression), arXiv:1510.00149, sections 3 and 4; of blocks, Stock et
al. 2019, arXiv:1907.05686.
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
BLOCKS = (2, 3, 4, 6, 8, 9, 12, 16)
"""Values in a block of a product code book; the C takes any number up to 255."""
_TRIED = 4 * LARGEST_BOOK  # blocks that tell whether a book can hold them all
_MEMORY = (8, 9)  # zlib's levels, which part its blocks otherwise
_MAP = 32  # bytes that have a bit for each value of a byte


class Form(IntEnum):
    """What the first byte of stored values says; the C reads the same numbers."""

    RAW = 0
    DEFLATE = 1
    BOOK = 2
    HUFFMAN = 3
    BLOCK_BOOK = 4
    BLOCK_HUFFMAN = 5


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
    for length in BLOCKS:
        yield from _in_blocks(values, length)


def _in_blocks(values: Values, length: int) -> Iterator[bytes]:
    """Blocks of `length` values by a code book, where one can hold them and it may pay."""
    if values.size % length or values.size < 4 * length:
        return
    blocks = values.reshape(-1, length)
    if len(np.unique(blocks[:_TRIED], axis=0)) > LARGEST_BOOK:
        return
    book, codes = np.unique(blocks, axis=0, return_inverse=True)
    if 1 < len(book) <= min(LARGEST_BOOK, len(blocks) // 2):
        codes = codes.ravel()
        head = bytes([length, len(book) - 1]) + book.tobytes()
        yield bytes([Form.BLOCK_BOOK]) + head + bits.write(codes, _width(len(book)))
        code_lengths = huffman.lengths(np.bincount(codes))
        yield bytes([Form.BLOCK_HUFFMAN]) + head + huffman.encode(codes, code_lengths)


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
    if not form or form[0] > max(Form) or not body:
        raise Damaged("values in a form that is not known")
    in_blocks = form[0] in (Form.BLOCK_BOOK, Form.BLOCK_HUFFMAN)
    length, body = (body[0], body[1:]) if in_blocks else (1, body)
    if not length or count % length or not body:
        raise Damaged("blocks of a length that cannot be")
    size = body[0] + 1
    mapped = not in_blocks and _mapped(size, dtype)
    end = 1 + (_MAP if mapped else size * length * dtype.itemsize)
    book = _book(body[1:end], size * length, dtype, mapped).reshape(size, length)
    codes = _codes(bits.Reader(body[end:]), form[0], count // length, size)
    return np.asarray(book[codes].ravel(), dtype)


def _codes(stream: bits.Reader, form: int, count: int, size: int) -> NDArray[np.int64]:
    if form in (Form.BOOK, Form.BLOCK_BOOK):
        codes = stream.many(count, _width(size))
    else:
        decoder = huffman.Decoder(stream, size)
        codes = np.array([decoder.symbol() for _ in range(count)], np.int64)
    if codes.size and codes.max() >= size:
        raise Damaged("a code beyond its book")
    return codes


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


def _book(
    data: bytes, size: int, dtype: np.dtype[np.unsignedinteger], mapped: bool
) -> NDArray[np.integer]:
    """The values of a book in their order."""
    book: NDArray[np.integer]
    if mapped:
        book = np.flatnonzero(np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little"))
    else:
        whole = len(data) == size * dtype.itemsize
        book = np.frombuffer(data, dtype) if whole else np.empty(0, dtype)
    if len(book) != size:
        raise Damaged("a code book of another size than it says")
    return book.astype(dtype)


def _width(size: int) -> int:
    """Bits of a code of a book of `size` values."""
    return (size - 1).bit_length()
