"""Lines of a child process with time limits, whatever it writes: garbage, half lines, nothing."""

from __future__ import annotations

import json
import os
import selectors
import time
from collections.abc import Mapping
from typing import IO, Any

from edgekit.errors import DeviceError

LONGEST = 64 << 20
"""Bytes of one line; more is no worker."""
SHOWN = 300


class Lines:
    """Events from a pipe.

    Args:
        pipe: Unbuffered, in binary.

    Attributes:
        said: The last line that was no event.
        ended: Whether the other side has closed it.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._rest = bytearray()
        self._ready: list[Mapping[str, Any]] = []
        self.said = ""
        self.ended = False

    def next(self, seconds: float) -> Mapping[str, Any] | None:
        """The next event; None after so many seconds, or where the pipe has ended.

        Raises:
            DeviceError: What comes is no lines.
        """
        until = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            while not self._ready and not self.ended:
                left = until - time.monotonic()
                if left <= 0 or not selector.select(left):
                    return None
                self._take(os.read(self._pipe.fileno(), 1 << 16))
        return self._ready.pop(0) if self._ready else None

    def _take(self, data: bytes) -> None:
        self.ended = not data
        self._rest += data
        if len(self._rest) > LONGEST:
            raise DeviceError(
                f"the device sent {LONGEST >> 20} MB without an end of line",
                "what answers is no worker of edgekit: see what the command runs by itself",
            )
        if b"\n" in data or self.ended:
            *lines, rest = self._rest.split(b"\n")
            self._rest = bytearray(rest)
            for line in [*lines, rest] if self.ended else lines:
                self._sort(bytes(line))

    def _sort(self, line: bytes) -> None:
        event = parse(line)
        if event is not None:
            self._ready.append(event)
        elif worth_telling(text := line.decode(errors="replace")):
            self.said = text.strip()[-SHOWN:]


def worth_telling(line: str) -> bool:
    """Whether a line of a log may say what is wrong."""
    return bool(line.strip()) and not line.startswith("INFO: ")


def read_line(pipe: IO[bytes], seconds: float) -> str:
    """The first line of a pipe; what there is of it after so many seconds."""
    found, until = b"", time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not found.endswith(b"\n") and selector.select(max(0, until - time.monotonic())):
            byte = os.read(pipe.fileno(), 1)
            if not byte:
                break
            found += byte
    return found.decode(errors="replace").strip()


def parse(line: bytes) -> Mapping[str, Any] | None:
    """The event of a line, None where it is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("event"), str) else None
