"""Rows of a `.npy` stream (a file or a member of a zip) one after the other, never the whole.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from edgekit.data.readers.base import numeric
from edgekit.errors import DataError

_CHUNK = 1 << 16
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True)
class ArrayStream:
    """An array on disk: its header, and how to open its bytes.

    Attributes:
        where: Names it in messages: `kws.npz:x_int8`.
        shape: With the axis of rows first.
        dtype: As stored.
        fortran: Whether columns come first in the file.
        start: Bytes of the header.
        open: Opens the bytes from the beginning.
    """

    where: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    start: int
    open: Callable[[], BinaryIO]

    def rows(self, indices: Iterable[int]) -> Iterator[NDArray[Any]]:
        """The rows of ascending `indices`, read in one forward pass.

        Raises:
            DataError: the type or order is refused, or the bytes are damaged.
        """
        self._readable()
        size = self.dtype.itemsize * math.prod(self.shape[1:])
        with damage(self.where), self.open() as stream:
            _skip(stream, self.start)
            position = 0
            for index in indices:
                _skip(stream, (index - position) * size)
                data = stream.read(size)
                if len(data) != size:
                    raise EOFError(f"it ends in row {index}")
                row = np.frombuffer(data, self.dtype).reshape(self.shape[1:])
                yield row.astype(row.dtype.newbyteorder("="), copy=False)
                position = index + 1

    def read(self) -> NDArray[Any]:
        """All of it: for labels and scalars only."""
        if not self.shape:
            with damage(self.where), self.open() as stream:
                _skip(stream, self.start)
                data = stream.read(self.dtype.itemsize)
                return np.frombuffer(data, self.dtype)[0]  # type: ignore[no-any-return]
        if self.shape[0] == 0:
            return np.empty(self.shape, self.dtype)
        return np.stack(list(self.rows(range(self.shape[0]))))

    def describe(self) -> str:
        """`x_int8 (500, 49, 10, 1) int8`."""
        return f"{self.where.rpartition(':')[2]} {self.shape} {self.dtype}"

    def require_rows(self) -> None:
        """Refuse what cannot be rows.

        Raises:
            DataError: a scalar, text, objects, Fortran order.
        """
        self._readable()
        if not self.shape or not numeric(self.dtype):
            raise DataError(
                f"{self.where} is {self.dtype} of shape {self.shape}: no rows",
                "name an array of numbers with the rows along the first axis",
            )

    def _readable(self) -> None:
        if self.dtype.hasobject:
            raise DataError(
                f"{self.where} holds Python objects, which are never unpickled",
                "save it as numbers: np.savez(path, x=np.asarray(rows, dtype=np.float32))",
            )
        if not numeric(self.dtype) and self.dtype.kind not in "US":
            raise DataError(
                f"{self.where} has type {self.dtype}, which is no number", "give integers or floats"
            )
        if self.fortran:
            raise DataError(
                f"{self.where} is in Fortran order, so that rows cannot be streamed",
                "save it again with np.ascontiguousarray(x)",
            )


def open_stream(where: str, opener: Callable[[], BinaryIO], size: int) -> ArrayStream:
    """Read the header of a `.npy` stream of `size` bytes.

    Raises:
        DataError: no `.npy`, or shorter than its header says.
    """
    with damage(where), opener() as stream:
        major = npy.read_magic(stream)[0]  # type: ignore[no-untyped-call]
        read: Any = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        start = stream.tell()
        needed = start + math.prod(shape) * dtype.itemsize
        if not dtype.hasobject and size < needed:
            raise EOFError(f"it has {size} bytes, and its header says {needed}")
    return ArrayStream(where, tuple(shape), dtype, fortran and len(shape) > 1, start, opener)


@contextmanager
def damage(where: str) -> Iterator[None]:
    """Turn what zip and npy readers raise for damaged bytes into a DataError."""
    try:
        yield
    except DAMAGE as error:
        raise DataError(
            f"{where} cannot be read: {error or type(error).__name__}",
            "make or copy the file again",
        ) from None


def _skip(stream: BinaryIO, count: int) -> None:
    if isinstance(stream, zipfile.ZipExtFile):
        # Its own seek reads up to 16 MB at once, which would show in the peak memory.
        while count > 0:
            count -= len(stream.read(min(count, _CHUNK))) or count
    elif count:
        stream.seek(count, 1)
