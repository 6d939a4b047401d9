"""What parent and worker say to one another over the pipes: small binary frames.

A frame is one byte that says what it is, eight bytes of length (little endian) and the payload.
Rows travel as arrays one after another: dtype, rank, dimensions, then the bytes of the array.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Sequence
from typing import IO, Any

import numpy as np

LOAD, READY, ROWS, FAILED = b"L", b"R", b"X", b"F"
_HEAD = struct.Struct("<cQ")
_ARRAY = struct.Struct("<8sB")
_ROW = struct.Struct("<I")


def write(stream: IO[bytes], kind: bytes, payload: bytes) -> None:
    """Write one frame and flush it."""
    stream.write(_HEAD.pack(kind, len(payload)))
    stream.write(payload)
    stream.flush()


def read(stream: IO[bytes]) -> tuple[bytes, bytes] | None:
    """Read one frame; None when the other side closed the pipe, even in the middle of one."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack(head)
    payload = stream.read(length)
    return (kind, payload) if len(payload) == length else None


def pack_json(value: dict[str, Any], tail: bytes = b"") -> bytes:
    """A JSON object, and bytes after it."""
    text = json.dumps(value).encode()
    return _ROW.pack(len(text)) + text + tail


def unpack_json(payload: bytes) -> tuple[dict[str, Any], bytes]:
    """The inverse of `pack_json`."""
    start = _ROW.size
    (length,) = _ROW.unpack_from(payload)
    return json.loads(payload[start : start + length]), payload[start + length :]


def pack_rows(rows: Sequence[tuple[np.ndarray, ...]]) -> bytes:
    """Rows of arrays as bytes."""
    parts: list[bytes] = [_ROW.pack(len(rows))]
    for row in rows:
        parts.append(_ROW.pack(len(row)))
        for array in row:
            parts += _pack_array(array)
    return b"".join(parts)


def unpack_rows(payload: bytes) -> list[tuple[np.ndarray, ...]]:
    """The inverse of `pack_rows`; the arrays are read-only views of `payload`."""
    (count,) = _ROW.unpack_from(payload)
    rows, at = [], _ROW.size
    for _ in range(count):
        (width,) = _ROW.unpack_from(payload, at)
        at += _ROW.size
        row = []
        for _ in range(width):
            array, at = _unpack_array(payload, at)
            row.append(array)
        rows.append(tuple(row))
    return rows


def _pack_array(array: np.ndarray) -> Iterable[bytes]:
    dtype = array.dtype.str.encode()
    shape = struct.pack(f"<{array.ndim}I", *array.shape)
    return _ARRAY.pack(dtype, array.ndim), shape, array.tobytes()


def _unpack_array(payload: bytes, at: int) -> tuple[np.ndarray, int]:
    text, rank = _ARRAY.unpack_from(payload, at)
    at += _ARRAY.size
    shape = struct.unpack_from(f"<{rank}I", payload, at)
    at += 4 * rank
    dtype = np.dtype(text.rstrip(b"\0").decode())
    count = int(np.prod(shape, dtype=np.int64))
    array = np.frombuffer(payload, dtype, count, at).reshape(shape)
    return array, at + count * dtype.itemsize
