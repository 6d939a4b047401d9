"""Numbers as a line of bars, for people who would rather look than read."""

from __future__ import annotations

from collections.abc import Sequence

BARS = " ▁▂▃▄▅▆▇█"


def bars(values: Sequence[float], least: float = 0.0) -> str:
    """A bar for each value, from `least` to the largest; nothing is the space.

    A value above `least` is never drawn as nothing.
    """
    most = max([least, *values])
    steps = len(BARS) - 1
    if most == least:
        return BARS[0] * len(values)
    scaled = [(value - least) / (most - least) * steps for value in values]
    return "".join(BARS[min(steps, max(int(one + 0.5), one > 0))] for one in scaled)
