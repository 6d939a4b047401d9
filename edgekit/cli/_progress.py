"""Progress on standard error: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from edgekit.progress import Progress

NOTED_EVERY = 15.0
"""Seconds between two notes in a log."""


class PlainProgress(Progress):
    """One line a step, for logs and pipes; of a long step, notes now and then."""

    def __init__(self) -> None:
        self._count = ""
        self._printed = 0.0

    def step(self, what: str) -> None:
        """Print the step's name."""
        self._count, self._printed = "", time.monotonic()
        print(f"· {what}", file=sys.stderr, flush=True)

    def advance(self, done: int, total: int | None) -> None:
        """Remember the count for the next note."""
        self._count = _share(done, total)

    def note(self, text: str) -> None:
        """Print it with the count, if the last line is old."""
        if time.monotonic() - self._printed >= NOTED_EVERY:
            self._printed = time.monotonic()
            print("  " + f"{self._count} {text}".lstrip(), file=sys.stderr, flush=True)


class LiveProgress(Progress):
    """A spinner with the step, its count and its time; finished steps stay as lines."""

    def __init__(self) -> None:
        from rich.console import Console

        # A descriptor of its own: descriptor 2 is silenced while TensorFlow and converters work.
        self._terminal = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8")
        self._console = Console(file=self._terminal, highlight=False, markup=False)
        self._status: Any = self._console.status("")
        self._what = self._count = self._note = ""
        self._began = 0.0

    def __reduce__(self) -> tuple[type[Progress], tuple[()]]:
        """In another process there is no such terminal: nothing is drawn."""
        return Progress, ()

    def step(self, what: str) -> None:
        """Finish the line of the step before and begin a new one."""
        self._status.stop()
        self._finish()
        self._what, self._count, self._note = what, "", ""
        self._began = time.monotonic()
        self._status.update(what)
        self._status.start()

    def advance(self, done: int, total: int | None) -> None:
        """Show the count beside the step."""
        self._count = _share(done, total)
        self._update()

    def note(self, text: str) -> None:
        """Show it behind the count."""
        self._note = text
        self._update()

    def close(self) -> None:
        """Finish the last line and give the terminal back; on the way of an error with a cross."""
        self._status.stop()
        self._finish(failed=sys.exc_info()[0] is not None)
        self._terminal.close()

    def _update(self) -> None:
        self._status.update(" ".join(filter(None, (self._what, self._count, self._note))))

    def _finish(self, failed: bool = False) -> None:
        from rich.text import Text

        if self._what:
            mark = ("✗ ", "red") if failed else ("✓ ", "green")
            seconds = f" {time.monotonic() - self._began:.1f} s"
            self._console.print(Text.assemble(mark, self._what, (seconds, "dim")))
        self._what = ""


def _share(done: int, total: int | None) -> str:
    return f"{done}/{total}" if total else f"{done}"


def make_progress(verbosity: int) -> Progress:
    """The progress that fits: none with -q, live on a terminal, plain otherwise."""
    if verbosity < 0:
        return Progress()
    return LiveProgress() if sys.stderr.isatty() else PlainProgress()
