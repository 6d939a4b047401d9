"""Bits in bytes, the first in the lowest place, as deflate has them (RFC 1951, section 3.1.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.storage.damaged import Damaged

MOST = 32
"""Bits of one number."""


def write(numbers: NDArray[np.integer], widths: NDArray[np.integer] | int) -> bytes:
    """Numbers one after the other, each in its own width of 0 to 32 bits, its lowest bit first."""
    values = np.asarray(numbers, np.uint64)
    width = np.broadcast_to(np.asarray(widths, np.int64), values.shape)
    places = np.arange(MOST, dtype=np.uint64)
    grid = (values[:, None] >> places) & np.uint64(1)
    return np.packbits(grid.astype(np.uint8)[places < width[:, None]], bitorder="little").tobytes()


class Reader:
    """Reads numbers from the front; what is read past the end is refused."""

    def __init__(self, data: bytes) -> None:
        self._bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        self._at = 0

    def many(self, count: int, width: int) -> NDArray[np.int64]:
        """`count` numbers of `width` bits each."""
        taken = self._bits[self._at : self._at + count * width]
        if taken.size < count * width:
            raise Damaged("a stream of bits ends too early")
        self._at += taken.size
        weights = np.int64(1) << np.arange(width, dtype=np.int64)
        return np.asarray(taken.reshape(count, width) @ weights, np.int64)

    def bit(self) -> int:
        """The next bit."""
        if self._at == self._bits.size:
            raise Damaged("a stream of bits ends too early")
        self._at += 1
        return int(self._bits[self._at - 1])
