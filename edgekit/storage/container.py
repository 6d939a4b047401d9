"""The file that edgekit packs: constants by themselves, and all that lies between them in one.

    "EKS1"
    CRC-32 of the original, 4 bytes, little-endian (that of gzip, RFC 1952)
    varint: bytes of the original
    varint: constants; and of each, in the order of the original,
        varint: bytes of the rest before it, since the last one
        varint: rows, columns; 1 byte: width of an element; varint: bytes that are stored of it
    what is stored of each constant, in the same order
    the rest, as values of one byte (`edgekit.storage.values`)

A constant stands by itself where that takes fewer bytes than to deflate it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edgekit.storage import section, values, varint
from edgekit.storage.damaged import Damaged
from edgekit.storage.layout import Constant
from edgekit.storage.section import Matrix, Stored

MAGIC = b"EKS1"
SUFFIX = ".eks"
LARGEST = 1 << 31
_BYTE = np.dtype("u1")
_ENTRY = 8  # bytes of the head for a constant, about


@dataclass(frozen=True)
class Packed:
    """A packed file.

    Attributes:
        data: All of it.
        constants: Those that stand by themselves, as they are stored.
        rest: Bytes of all that does not, in the original.
        rest_stored: And here.
    """

    data: bytes
    constants: tuple[tuple[Constant, Stored], ...]
    rest: int
    rest_stored: int


def pack(content: bytes, constants: Iterable[Constant]) -> Packed:
    """The smallest file that `unpack` makes `content` of.

    Args:
        content: The original, below 2 GB.
        constants: Parts of it, in its order, that do not overlap.
    """
    kept = [(each, stored) for each in constants if (stored := _alone(content, each))]
    head = MAGIC + zlib.crc32(content).to_bytes(4, "little")
    head += varint.write(len(content)) + varint.write(len(kept))
    between, at = b"", 0
    for constant, stored in kept:
        matrix = constant.matrix
        head += varint.write(constant.start - at) + varint.write(matrix.rows)
        head += varint.write(matrix.columns) + bytes([matrix.width])
        head += varint.write(len(stored.data))
        between += content[at : constant.start]
        at = constant.end
    between += content[at:]
    rest = min(values.stored(np.frombuffer(between, _BYTE)), key=len)
    data = head + b"".join(stored.data for _, stored in kept) + rest
    return Packed(data, tuple(kept), len(between), len(rest))


def unpack(data: bytes) -> bytes:
    """The original file.

    Raises:
        Damaged: `data` is no such file, or not whole.
    """
    if data[: len(MAGIC)] != MAGIC:
        raise Damaged("it is no packed model")
    size, at = varint.read(data, 8)
    count, at = varint.read(data, at)
    if size > LARGEST or count > len(data):
        raise Damaged("its head does not fit its size")
    entries = []
    for _ in range(count):
        before, at = varint.read(data, at)
        matrix, length, at = _entry(data, at)
        entries.append((before, matrix, length))
    rest = size - sum(matrix.nbytes for _, matrix, _ in entries)
    end = at + sum(length for *_, length in entries)
    if rest < sum(before for before, *_ in entries) or end > len(data):
        raise Damaged("its parts do not make up the file")
    between = values.restored(data[end:], rest, _BYTE).tobytes()
    parts, used = [], 0
    for before, matrix, length in entries:
        parts += [between[used : used + before], section.unpack(data[at : at + length], matrix)]
        used, at = used + before, at + length
    content = b"".join([*parts, between[used:]])
    if zlib.crc32(content).to_bytes(4, "little") != data[4:8]:
        raise Damaged("its checksum does not fit")
    return content


def _alone(content: bytes, constant: Constant) -> Stored | None:
    """A constant by itself; None where it takes no fewer bytes so than deflated."""
    plain = content[constant.start : constant.end]
    stored = section.pack(plain, constant.matrix)
    return stored if len(stored.data) + _ENTRY < len(values.deflated(plain)) else None


def _entry(data: bytes, at: int) -> tuple[Matrix, int, int]:
    rows, at = varint.read(data, at)
    columns, at = varint.read(data, at)
    if at >= len(data) or data[at] not in section.WIDTHS:
        raise Damaged("a constant of elements of no known width")
    length, end = varint.read(data, at + 1)
    return Matrix(rows, columns, data[at]), length, end
