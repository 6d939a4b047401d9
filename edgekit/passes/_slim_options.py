"""What `slim` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, option

MOST = 4
"""Widths besides the whole one: all are trained in each step."""


def _widths(value: Any) -> tuple[float, ...]:
    items = list(value) if isinstance(value, list | tuple) else [value]
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
        raise ValueError("not a list of numbers")
    return tuple(sorted({float(item) for item in items}, reverse=True))


@dataclass(frozen=True)
class SlimOptions(PassOptions):
    """The whole network is always one of the widths."""

    widths: tuple[float, ...] = option(
        (0.5, 0.25),
        f"shares of the channels that the narrower networks have, 1 to {MOST} of them below 1",
        hint="write [0.5, 0.25]",
        parse=_widths,
        search=((0.5,), (0.5, 0.25), (0.75, 0.5, 0.25)),
    )
    least: int = option(1, "channels that each layer keeps at any width", least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= len(self.widths) <= MOST or not all(0 < each < 1 for each in self.widths):
            raise UsageError(
                f"widths = {list(self.widths)}: not 1 to {MOST} shares between 0 and 1",
                "write [0.5, 0.25]",
            )
