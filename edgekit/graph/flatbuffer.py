"""Tables of a flatbuffer whose every offset is checked before it is followed.

flatbuffers' own Python accessors trust the file: a flipped bit reads elsewhere, or loops for
hours over a vector of 2^32 elements. The rules here are those of the C++ verifier
(flatbuffers/verifier.h). Nothing is copied: vectors are read-only views of the file.
Source: https://flatbuffers.dev/internals/ (binary format).
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.graph.schema import Fields

DAMAGED = "the file is damaged or cut short: copy it again, or convert the model again"
# Parts of a file may be shared, but a sound file is never visited many times over.
SHARING = 4
SLACK = 65536


class Malformed(Exception):
    """What is wrong with the flatbuffer, and what to do; `read` turns it into a `ModelError`."""

    def __init__(self, message: str, hint: str = DAMAGED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class File:
    """The bytes of a flatbuffer, with bounds-checked reads.

    Args:
        data: The whole file; it is kept, not copied.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._budget = SHARING * len(data) + SLACK

    def charge(self, size: int) -> None:
        """Count `size` visited bytes; parts that overlap without end are refused."""
        self._budget -= size
        if self._budget < 0:
            raise Malformed("its parts overlap, so that reading it would take for ever")

    def span(self, start: int, size: int) -> int:
        """`start`, if `size` bytes from there are inside the file."""
        if start < 0 or size < 0 or start + size > len(self.data):
            raise Malformed(f"an offset points outside the file ({start} + {size} bytes)")
        return start

    def scalar(self, code: str, position: int) -> int | float:
        """The number of `struct` type `code` at `position`, aligned as the format wants it."""
        packer = _packer(code)
        self.span(position, packer.size)
        if position % packer.size:
            raise Malformed(f"a number at byte {position} is not aligned")
        value: int | float = packer.unpack_from(self.data, position)[0]
        return value

    def follow(self, position: int) -> int:
        """The position that the unsigned offset at `position` points to."""
        return position + int(self.scalar("I", position))

    def vector(self, position: int, dtype: str) -> NDArray[Any]:
        """The vector whose offset is at `position`, as a read-only view."""
        kind = np.dtype(dtype)
        start = self.follow(position)
        count = int(self.scalar("I", start))
        self.span(start + 4, count * kind.itemsize)
        self.charge(4 + count * kind.itemsize)
        if (start + 4) % kind.itemsize:
            raise Malformed(f"a vector at byte {start} is not aligned")
        view = np.frombuffer(self.data, kind, count, start + 4) if count else np.empty(0, kind)
        view.flags.writeable = False
        return view

    def string(self, position: int) -> bytes:
        """The string whose offset is at `position`; it must end in a zero, as C code expects."""
        start = self.follow(position)
        count = int(self.scalar("I", start))
        self.span(start + 4, count + 1)
        self.charge(5 + count)
        if self.data[start + 4 + count]:
            raise Malformed(f"a text at byte {start} has no end")
        return bytes(self.data[start + 4 : start + 4 + count])


class Table:
    """A table at `position`, its vtable checked; a field is asked for by its name.

    Args:
        file: The flatbuffer.
        position: Where the table starts.
        fields: Place of each field in the vtable, in the order of the schema.
    """

    __slots__ = ("_fields", "_offsets", "file", "position")

    def __init__(self, file: File, position: int, fields: Fields) -> None:
        file.charge(4)
        vtable = position - int(file.scalar("i", position))
        size, inline = int(file.scalar("H", vtable)), int(file.scalar("H", vtable + 2))
        if size < 4 or size % 2 or inline < 4:
            raise Malformed(f"the table at byte {position} has a broken layout")
        file.span(vtable, size)
        file.span(position, inline)
        offsets = struct.unpack_from(f"<{size // 2 - 2}H", file.data, vtable + 4)
        if any(offset and not 4 <= offset < inline for offset in offsets):
            raise Malformed(f"the table at byte {position} has a field outside of it")
        self.file, self.position = file, position
        self._offsets, self._fields = offsets, fields

    def offset(self, place: int) -> int:
        """Where field number `place` is, relative to the table; 0 where it is absent."""
        return self._offsets[place] if place < len(self._offsets) else 0

    def _find(self, field: str) -> int:
        offset = self.offset(self._fields[field])
        return self.position + offset if offset else 0

    def integer(self, field: str, code: str, default: int = 0) -> int:
        """An integer or boolean field of `struct` type `code`."""
        found = self._find(field)
        return int(self.file.scalar(code, found)) if found else default

    def vector(self, field: str, dtype: str) -> NDArray[Any] | None:
        """A vector of numbers, None where it is absent."""
        found = self._find(field)
        return self.file.vector(found, dtype) if found else None

    def numbers(self, field: str, dtype: str = "<i4") -> tuple[int, ...]:
        """A vector of integers as a tuple, empty where it is absent."""
        values = self.vector(field, dtype)
        return () if values is None else tuple(values.tolist())

    def text(self, field: str) -> str:
        """A string, empty where it is absent."""
        found = self._find(field)
        try:
            return self.file.string(found).decode() if found else ""
        except UnicodeDecodeError:
            raise Malformed(f"{field} is not UTF-8 text") from None

    def table(self, field: str, fields: Fields) -> Table | None:
        """A table, None where it is absent."""
        found = self._find(field)
        return Table(self.file, self.file.follow(found), fields) if found else None

    def tables(self, field: str, fields: Fields) -> list[Table]:
        """A vector of tables, empty where it is absent."""
        found = self._find(field)
        if not found:
            return []
        offsets = self.file.vector(found, "<u4").tolist()
        start = self.file.follow(found) + 4
        return [
            Table(self.file, start + 4 * place + offset, fields)
            for place, offset in enumerate(offsets)
        ]


def root(data: bytes, fields: Fields, identifier: bytes) -> Table:
    """The root table of a flatbuffer with this file identifier."""
    if len(data) < 8 or data[4:8] != identifier:
        raise Malformed(
            f"it is no .tflite file (no {identifier.decode()} at byte 4)",
            "give a .tflite file; if it is one, it is damaged or cut short",
        )
    file = File(data)
    return Table(file, file.follow(0), fields)


@cache
def _packer(code: str) -> struct.Struct:
    return struct.Struct(f"<{code}")
