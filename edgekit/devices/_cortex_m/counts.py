"""What the emulator counted: instructions of each inference, and of the first one by address."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Executed:
    """One instruction in one layer: how often it was executed, how often it branched away."""

    count: int
    taken: int


@dataclass(frozen=True)
class Counts:
    """Instructions executed.

    Attributes:
        totals: Of each inference, from the entry of the run function to its return.
        at: Of the first inference, by bucket (0: before the first layer, n: layer n - 1) and
            address.
    """

    totals: tuple[int, ...]
    at: Mapping[int, Mapping[int, Executed]]


def read_counts(text: str) -> Counts:
    """What the plugin of QEMU wrote."""
    totals = []
    count: dict[int, Counter[int]] = defaultdict(Counter)
    taken: dict[int, Counter[int]] = defaultdict(Counter)
    for kind, *words in (line.split() for line in text.splitlines()):
        if kind == "total":
            totals.append(int(words[0]))
            continue
        bucket, address = int(words[0]), int(words[1], 16)
        count[bucket][address] += int(words[2])
        taken[bucket][address] += int(words[3])
    at = {
        bucket: {pc: Executed(times, taken[bucket][pc]) for pc, times in sorted(found.items())}
        for bucket, found in sorted(count.items())
    }
    return Counts(tuple(totals), at)
