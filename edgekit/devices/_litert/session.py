"""One worker process from its start to its end: each word answered in time, or the fault named."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from edgekit.devices._litert.lines import SHOWN, Lines, worth_telling
from edgekit.devices._litert.place import Ending, Place
from edgekit.errors import DeviceError, EdgekitError, MissingExtra, TargetError, UsageError

SCHEMA = 1
PIP = "python3 -m pip"
START_S, WORD_S, GRACE_S = 60.0, 20.0, 2.0
"""Seconds for a worker to load its model, to answer a word, to end by itself."""


class Session:
    """A running worker; a context manager.

    Args:
        place: Where it runs.
        arguments: Of the worker.
        seconds: That it may live; the device ends it then.

    Attributes:
        ready: What it said of itself and of its model.
    """

    def __init__(self, place: Place, arguments: Sequence[str], seconds: float) -> None:
        self._place = place
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed in `close`
        self._process = _start(place, [*place.command(arguments, seconds)], self._errors)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._lines = self._process.stdin, Lines(self._process.stdout)
        self._clean = False
        try:
            self.ready = self._wait("ready", START_S)
            if self.ready.get("schema") != SCHEMA:
                raise self._stranger()
        except BaseException:
            self.close()
            raise

    def ask(self, word: str, answer: str, seconds: float = WORD_S) -> Mapping[str, Any]:
        """Give a command and wait for its one answer.

        Raises:
            ConnectionLost: The connection broke.
            DeviceError: No answer came in time, the worker died, or it says what is wrong.
        """
        self._send(word)
        return self._wait(answer, seconds)

    def stream(self, word: str, last: str, seconds: float) -> Iterator[Mapping[str, Any]]:
        """Give a command and yield its events up to `last`, which comes within so many seconds.

        Raises:
            ConnectionLost, DeviceError: As `ask`.
        """
        until = time.monotonic() + seconds
        self._send(word)
        event: Mapping[str, Any] = {}
        while event.get("event") != last:
            event = self._event(until - time.monotonic(), f"waiting for '{last}'")
            yield event
        self._clean = True

    def close(self) -> None:
        """End the worker here and there; may be called twice."""
        with contextlib.suppress(OSError):
            self._to.close()
        try:
            self._process.wait(GRACE_S if self._clean else 0)
        except subprocess.TimeoutExpired:
            self._clean = False
        if not self._clean:
            self._place.end()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()

    def _send(self, word: str) -> None:
        self._clean = False
        try:
            self._to.write(f"{word}\n".encode())
            self._to.flush()
        except OSError:
            raise self._dead() from None

    def _wait(self, wanted: str, seconds: float) -> Mapping[str, Any]:
        until = time.monotonic() + seconds
        while True:
            event = self._event(until - time.monotonic(), f"waiting for '{wanted}'")
            if event["event"] == wanted:
                self._clean = True
                return event

    def _event(self, seconds: float, doing: str) -> Mapping[str, Any]:
        event = self._lines.next(seconds)
        if event is None:
            raise self._dead() if self._lines.ended else self._silent(doing)
        if event["event"] == "error":
            raise _explain(self._place.name, self._place.packages, event)
        return event

    def _dead(self) -> EdgekitError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_S)
        return self._place.fault(Ending(self._process.poll(), self._said()))

    def _silent(self, doing: str) -> DeviceError:
        said = self._said()
        return DeviceError(
            f"{self._place.name}: the worker hangs, {doing}"
            + (f"; it said last: {said}" if said else ""),
            "see whether the device is busy, or the model too large for it",
        )

    def _stranger(self) -> DeviceError:
        return DeviceError(
            f"{self._place.name}: its worker speaks schema {self.ready.get('schema')}, "
            f"this edgekit {SCHEMA}",
            "use the worker of this version of edgekit",
        )

    def _said(self) -> str:
        """The last line that was no event; of the error stream before that of the output."""
        self._errors.seek(0)
        text = self._errors.read()[-4096:].decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if worth_telling(line)]
        return lines[-1][-SHOWN:] if lines else self._lines.said

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _start(place: Place, command: list[str], errors: Any) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    try:
        # A session of its own: Ctrl-C is for this process, which then ends the worker
        return subprocess.Popen(
            command, bufsize=0, stdin=pipe, stdout=pipe, stderr=errors, start_new_session=True
        )
    except OSError as error:
        errors.close()
        raise DeviceError(
            f"{place.name}: {command[0]} cannot be started: {error}", "edgekit doctor"
        ) from error


def _explain(name: str, packages: str, event: Mapping[str, Any]) -> EdgekitError:
    """The error for what a worker says is wrong."""
    what, kind = event.get("what", "no reason given"), event.get("kind", "model")
    if kind == "missing":
        return MissingExtra(
            f"{name}: {what}",
            f"there: {PIP} install {packages}",
        )
    if kind == "memory":
        return DeviceError(f"{name}: {what}", "close programs there, or take a smaller model")
    if kind == "disk":
        return DeviceError(f"{name}: {what}", "make room there: its disk may be full")
    if kind == "delegate":
        return UsageError(
            f"{name}: the delegate cannot be used: {what}",
            "edgekit devices says what it takes; or leave out --delegate",
        )
    return TargetError(
        f"{name}: the runtime there refuses the model: {what}",
        "build it for the target that the device is: edgekit targets lists them",
    )
