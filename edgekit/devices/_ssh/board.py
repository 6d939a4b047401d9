"""A Linux board as a place for workers: files cached there by hash, one bench at a time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgekit._run import ToolError
from edgekit.artifact import sha256
from edgekit.devices._litert.lines import read_line
from edgekit.devices._litert.place import Ending, Place, fault
from edgekit.devices._ssh import scripts
from edgekit.devices._ssh.connection import LOST, Connection, lost
from edgekit.devices._ssh.runtime import PROBE, check_runtime
from edgekit.errors import ConnectionLost, DeviceError, EdgekitError, MissingExtra

WORKER = Path(__file__).parents[1] / "_litert" / "worker.py"
HOLD_S, OPEN_S = 86_400, 60.0
"""Seconds that a board is held at most; and to take hold of it."""
_FULL = ("No space left", "Disk quota exceeded")


class Board(Place):
    """A board.

    Args:
        connection: To it; not open yet.
        name: For people.
        python: That runs the worker there.
        token: Of this bench; a new connection of the same bench takes over from the old one.
    """

    def __init__(self, connection: Connection, name: str, python: str, token: str) -> None:
        self.name = name
        self._connection = connection
        self._python = python
        self._token = token
        self._holder: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed in `close`
        self._cache = ""
        self._worker = ""
        self._facts: dict[str, Any] = {}

    def open(self) -> None:
        """Connect, hold the board, and see what is installed."""
        self._connection.open()
        self._hold()
        self._facts = self._probe()
        check_runtime(self.name, self._facts, self.packages)
        self.runtime = self._facts["runtime"]

    def put(self, path: Path) -> str:
        """Bring a file into the cache."""
        content = path.read_bytes()
        name = sha256(content)
        if self._run(scripts.line(scripts.HAS, name)).split()[:1] != [name]:
            self._run(scripts.line(scripts.STORE, name), content, 60 + len(content) / 50_000)
        return f"{self._cache}/{name}"

    def scratch(self, name: str) -> str:
        """In the folder of this run."""
        return f"{self._cache}/run/{name}"

    def take(self, path: str) -> bytes:
        """Read it."""
        return self._connection.read(scripts.line(scripts.TAKE, path))

    def command(self, arguments: Sequence[str], seconds: float) -> list[str]:
        """The worker, which is brought there first."""
        self._worker = self._worker or self.put(WORKER)
        line = scripts.worker(self._python, seconds, [self._worker, *arguments])
        return self._connection.command(line)

    def end(self) -> None:
        """End it there, where it can be reached; else its `timeout` does."""
        with contextlib.suppress(EdgekitError):
            self._connection.run(scripts.line(scripts.END), seconds=15)

    def fault(self, ending: Ending) -> EdgekitError:
        """By exit code: 255 is the connection's."""
        return fault(self.name, ending, (LOST,))

    def facts(self) -> Mapping[str, Any]:
        """What was found there."""
        return {"host": self.name, **self._facts}

    def close(self) -> None:
        """Remove the folder of this run, let go of the board, disconnect."""
        if self._holder is not None:
            with contextlib.suppress(EdgekitError):
                self._connection.run(scripts.line(scripts.CLEAR), seconds=15)
            self._let_go(self._holder)
            self._holder = None
        self._connection.close()
        self._errors.close()

    def _hold(self) -> None:
        line = scripts.line(scripts.HOLD, self._token, str(HOLD_S))
        pipe = subprocess.PIPE
        self._holder = subprocess.Popen(
            self._connection.command(line),
            bufsize=0,
            stdin=pipe,
            stdout=pipe,
            stderr=self._errors,
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        word, _, self._cache = read_line(self._holder.stdout, OPEN_S).partition(" ")
        if word != "open":
            holder, self._holder = self._holder, None
            self._let_go(holder)
            raise self._not_held(holder.returncode)

    def _not_held(self, code: int) -> EdgekitError:
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace")
        if code == scripts.BUSY:
            return DeviceError(
                f"{self.name}: another bench is running on it",
                "wait until it is done: two at once would measure one another",
            )
        if code == LOST:
            return lost(self.name, said)
        return self._failed(said)

    def _let_go(self, holder: subprocess.Popen[bytes]) -> None:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.close()
        try:
            holder.wait(5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(holder.pid, signal.SIGKILL)
            holder.wait()
        holder.stdout.close()

    def _probe(self) -> dict[str, Any]:
        try:
            said = self._connection.run(scripts.line(scripts.PROBE, self._python, PROBE))
            found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
            return found
        except ToolError as error:
            if error.returncode != scripts.NO_PYTHON:
                raise self._failed(error.stderr) from None
            raise MissingExtra(
                f"{self.name}: there is no {self._python}",
                "there: sudo apt-get install python3; or set python in lab.toml to its path",
            ) from None
        except (ValueError, IndexError) as error:
            raise self._failed(str(error)) from None

    def _run(self, line: str, stdin: bytes = b"", seconds: float = 120.0) -> str:
        try:
            return self._connection.run(line, stdin, seconds)
        except ToolError as error:
            if error.returncode == scripts.DAMAGED:
                raise ConnectionLost(
                    f"{self.name}: a file arrived damaged", "see whether the connection is sound"
                ) from None
            raise self._failed(error.stderr or error.message) from None

    def _failed(self, said: str) -> DeviceError:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        last = lines[-1][-300:] if lines else "it says no reason"
        if any(text in said for text in _FULL):
            return DeviceError(
                f"{self.name}: its disk is full: {last}",
                "make room there; ~/.cache/edgekit may be emptied",
            )
        return DeviceError(
            f"{self.name}: {last}",
            "~/.cache/edgekit must be writable, and sh, flock, timeout be there",
        )
