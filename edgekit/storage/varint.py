"""Numbers of 7 bits a byte, the lowest first; the highest bit says that another byte follows.

Source: https://protobuf.dev/programming-guides/encoding/#varints
"""

from __future__ import annotations

from edgekit.storage.damaged import Damaged

_MOST_BYTES = 5


def write(number: int) -> bytes:
    """A number from 0 below 2^32."""
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def read(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends."""
    number = 0
    for place, byte in enumerate(data[at : at + _MOST_BYTES]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80 and number < 1 << 32:
            return number, at + place + 1
    raise Damaged("a number that does not end")
