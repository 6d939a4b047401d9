"""Progress is injected: library code tells it what it does, the command line shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Progress:
    """Does nothing; the command line hands in a subclass that draws."""

    def step(self, what: str) -> None:
        """A new step begins; the one before is done."""

    def advance(self, done: int, total: int | None) -> None:
        """`done` of `total` units of the current step are finished (`None`: unknown)."""

    def note(self, text: str) -> None:
        """How the current step goes, e.g. its loss and the time left; the last word counts."""

    def close(self) -> None:
        """Nothing more will come."""

    def track(self, items: Iterable[T], total: int | None = None) -> Iterator[T]:
        """Pass `items` through and advance with each."""
        for done, item in enumerate(items, start=1):
            yield item
            self.advance(done, total)
