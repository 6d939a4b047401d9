"""What the engine itself takes: choosing trials and keeping what came of them, not the trials."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_END = object()


class Stopwatch:
    """Wall time within `with`, and within what `timed` draws; not to be nested."""

    def __init__(self) -> None:
        self._seconds = self._began = 0.0

    def __enter__(self) -> Stopwatch:
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._seconds += time.perf_counter() - self._began

    def timed(self, made: Iterable[T]) -> Iterator[T]:
        """The same; what it takes to make each counts, what is done with it does not."""
        items = iter(made)
        while True:
            with self:
                item = next(items, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]

    def taken(self) -> float:
        """Seconds since this was asked before."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds
