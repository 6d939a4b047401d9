"""Canonical Huffman codes of at most 15 bits: only the length of each symbol's code is stored.

Sources: Huffman 1952, doi:10.1109/JRPROC.1952.273898; the canonical order and how it is decoded
without tables, RFC 1951 section 3.2.2; the limit by package-merge, Larmore and Hirschberg 1990,
doi:10.1145/79147.79150.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.storage import bits
from edgekit.storage.damaged import Damaged

LONGEST = 15
LENGTH_BITS = 4


def lengths(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """The best length of each symbol's code, 0 where it never comes.

    Args:
        counts: How often each symbol comes, [symbols] of at most 2^15.
    """
    used = np.flatnonzero(counts)
    found = np.zeros(len(counts), np.int64)
    if used.size < 2:
        found[used] = 1
        return found
    coins = sorted((int(counts[symbol]), (int(symbol),)) for symbol in used)
    packages: list[tuple[int, tuple[int, ...]]] = []
    for _ in range(LONGEST):
        merged = sorted([*coins, *packages])
        pairs = zip(merged[::2], merged[1::2], strict=False)
        packages = [(one[0] + two[0], one[1] + two[1]) for one, two in pairs]
    for _, symbols in packages[: used.size - 1]:
        np.add.at(found, list(symbols), 1)
    return found


def encode(symbols: NDArray[np.integer], code_lengths: NDArray[np.int64]) -> bytes:
    """The lengths, 4 bits each, and then each symbol's code, its highest bit first."""
    codes = _codes(code_lengths)
    wide = code_lengths[symbols]
    head = code_lengths.astype(np.int64)
    numbers = np.concatenate([head, codes[symbols]])
    return bits.write(numbers, np.concatenate([np.full(len(head), LENGTH_BITS), wide]))


class Decoder:
    """Reads what `encode` wrote; the lengths are read at once.

    Args:
        stream: Where they begin.
        alphabet: How many symbols there are.
    """

    def __init__(self, stream: bits.Reader, alphabet: int) -> None:
        self._stream = stream
        canonical = _canonical(stream.many(alphabet, LENGTH_BITS))
        self._symbols = {(length, code): symbol for symbol, length, code in canonical}

    def symbol(self) -> int:
        """The next symbol."""
        code = 0
        for length in range(1, LONGEST + 1):
            code = code << 1 | self._stream.bit()
            if (length, code) in self._symbols:
                return self._symbols[length, code]
        raise Damaged("a code that stands for nothing")


def size(counts: NDArray[np.integer], code_lengths: NDArray[np.int64]) -> int:
    """Bytes of `encode` for symbols that come so often."""
    total = int((counts * code_lengths).sum()) + LENGTH_BITS * len(code_lengths)
    return (total + 7) // 8


def _first_codes(code_lengths: NDArray[np.int64]) -> list[int]:
    """The first code of each length; shorter codes come first, equal ones by symbol."""
    having = np.bincount(code_lengths, minlength=LONGEST + 1)
    first, code = [0], 0
    for length in range(1, LONGEST + 1):
        first.append(code)
        code = (code + int(having[length])) << 1
    if code > 2 << LONGEST:
        raise Damaged("lengths of codes that cannot be")
    return first


def _canonical(code_lengths: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """(symbol, length, code) of every symbol that comes."""
    following = _first_codes(code_lengths)
    found = []
    for symbol, length in enumerate(code_lengths.tolist()):
        if length:
            found.append((symbol, length, following[length]))
            following[length] += 1
    return found


def _codes(code_lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Codes whose bits are turned round, for a writer that begins with the lowest."""
    codes = np.zeros(len(code_lengths), np.int64)
    for symbol, length, code in _canonical(code_lengths):
        codes[symbol] = int(f"{code:0{length}b}"[::-1], 2)
    return codes
