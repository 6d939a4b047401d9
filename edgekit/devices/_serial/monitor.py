"""The host's side of MLPerf Tiny's protocol: each command of it, and what comes back.

Source: github.com/mlcommons/tiny, benchmark/api/internally_implemented.cpp and benchmark/runner.
`out`, every bit of the outputs, is of our firmware alone.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from edgekit.devices._serial.exchange import (
    RETRIES,
    SETTLE_S,
    Exchange,
    SilenceError,
    error_of,
    first,
    refusal,
)
from edgekit.devices._serial.line import Line, Said
from edgekit.errors import DeviceError

CHUNK = 31
"""Bytes in one `db` command, as the runner sends: firmware has room for 80 characters."""
_NAME = r"m-name-\w+-\[([^]]*)\]"
_LAP = re.compile(r"m-(?:lap|timestamp)-us-(\d+)")


@dataclass(frozen=True)
class Inferred:
    """What `infer` told.

    Attributes:
        inferences: That were timed.
        began_s: When the line arrived after which they begin, on `time.monotonic`.
        ended_s: When the line arrived that the device sends after the last.
        us: Microseconds of the device's clock at both; None where it tells none (energy mode).
        results: Outputs as printed.
    """

    inferences: int
    began_s: float
    ended_s: float
    us: tuple[int, int] | None
    results: tuple[float, ...]


class Monitor:
    """A device that understands the commands; each raises what `Exchange` does."""

    def __init__(self, line: Line) -> None:
        self._exchange = Exchange(line)

    @property
    def garbled(self) -> int:
        """Replies that made no sense so far."""
        return self._exchange.garbled

    def wake(self) -> str:
        """Its name; after this, replies follow commands."""
        name = self._exchange.wanted("name", _NAME, waking=True)[0]
        self._exchange.line.drain(SETTLE_S)
        return name

    def profile(self) -> tuple[str, str]:
        """What the firmware calls itself, and its model."""
        profile, model = r"m-profile-\[([^]]*)\]", r"m-model-\[([^]]*)\]"
        found = self._exchange.wanted("profile", profile, model)
        return found[0], found[1]

    def load(self, content: bytes) -> None:
        """Put the input of the next inferences into the buffer."""
        refused = ""
        for _ in range(RETRIES):
            with contextlib.suppress(SilenceError):
                last = self._load(content)
                if any(said.text == "m-load-done" for said in last):
                    return
                refused = error_of(last)
            self._exchange.garbled += 1
        if refused:
            raise refusal(f"db load {len(content)}", refused)
        raise DeviceError(
            f"{self._exchange.line.name}: {len(content)} bytes of input do not arrive whole",
            "use a lower baud rate or a shorter cable",
        )

    def loaded(self) -> bytes:
        """What is in the buffer, as far as it comes back whole."""
        lines = self._exchange.ask("db print")
        rows = [re.fullmatch(r"m-buffer-([0-9a-f-]+)", said.text) for said in lines]
        digits = "".join(row[1] for row in rows if row).replace("-", "")
        return bytes.fromhex(digits[: len(digits) // 2 * 2])

    def infer(self, inferences: int, warmups: int, quiet_s: float) -> Inferred:
        """Run `warmups` inferences, then `inferences` between two timestamps.

        A silence of `quiet_s` seconds is no reason to ask again: the device hangs.
        """
        command, lines = f"infer {inferences} {warmups}", list[Said]()
        for _ in range(RETRIES):
            lines = self._exchange.ask(command, quiet_s)
            found = None if error_of(lines) else _inferred(lines, inferences)
            if found:
                return found
            self._exchange.garbled += 1
        raise self._exchange.wrong(command, lines)

    def outputs(self) -> bytes | None:
        """The outputs of the last inference, every bit; None of firmware that is not ours."""
        pattern = r"m-out-\[((?:[0-9a-f]{2})*)\]"
        if error_of(lines := self._exchange.ask("out")) == "Unknown command: out":
            return None
        found = first(pattern, lines)
        return bytes.fromhex(found or self._exchange.wanted("out", pattern)[0])

    def round_trip_s(self, times: int = 5) -> float:
        """The shortest time from a command to its reply."""
        found = []
        for _ in range(times):
            began = time.monotonic()
            self._exchange.wanted("name", _NAME)
            found.append(time.monotonic() - began)
        return min(found)

    def _load(self, content: bytes) -> list[Said]:
        lines = self._exchange.ask(f"db load {len(content)}")
        if not first(r"m-\[Expecting (\d+) bytes\]", lines):
            return lines  # its buffer may be smaller, and the reference firmware would run past it
        for number in range(ceil(len(content) / CHUNK)):
            if error_of(lines):
                return lines
            part = content[number * CHUNK : (number + 1) * CHUNK]
            lines = self._exchange.ask(f"db {part.hex()}")
        return lines


def _inferred(lines: Sequence[Said], inferences: int) -> Inferred | None:
    """None where a line is missing that must be there."""
    begin = [said for said in lines if said.text == f"m-infer-start-{inferences}"]
    end = [said for said in lines if said.text == "m-infer-done"]
    laps = [(said, int(found[1])) for said in lines if (found := _LAP.fullmatch(said.text))]
    results = _numbers(first(r"m-results-\[([^]]*)\]", lines))
    if not (begin and end) or results is None or len(laps) not in (0, 2):
        return None
    if not laps:
        return Inferred(inferences, begin[0].at_s, end[0].at_s, None, results)
    (started, start), (stopped, stop) = laps
    return Inferred(inferences, started.at_s, stopped.at_s, (start, stop), results)


def _numbers(text: str | None) -> tuple[float, ...] | None:
    try:
        return tuple(map(float, text.rstrip(", ").split(","))) if text else None
    except ValueError:
        return None
