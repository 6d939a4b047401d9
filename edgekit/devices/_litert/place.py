"""Where a worker runs: what a driver of LiteRT devices has to know of its connection."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.errors import ConnectionLost, DeviceError, EdgekitError

KILLED = (-9, 128 + 9)
"""Exit codes of what was ended by signal 9, by itself and as a shell reports it."""
TIMED_OUT = 124


@dataclass(frozen=True)
class Ending:
    """How the local command of a worker ended.

    Attributes:
        code: Its exit code, negative for a signal; None where it runs on and says nothing.
        said: The last line that is no event, of either stream; empty where there is none.
    """

    code: int | None
    said: str

    def __str__(self) -> str:
        how = "still running" if self.code is None else _ending(self.code)
        return f"{how}: {self.said}" if self.said else how


class Place(abc.ABC):
    """A machine that can be given files and run a worker.

    Attributes:
        name: For people, e.g. `pi@raspberrypi`.
        runtime: Package and version there, where `open` finds it out: a model that it cannot run
            is then refused before it is copied.
        packages: What pip is to install there where the runtime is missing.
    """

    name: str
    packages: str = "ai-edge-litert numpy"
    runtime: str = ""

    @abc.abstractmethod
    def open(self) -> None:
        """Connect, and make room.

        Raises:
            ConnectionLost: It may work the next time.
            EdgekitError: It will not: wrong key, busy, lacking what a worker needs.
        """

    @abc.abstractmethod
    def put(self, path: Path) -> str:
        """Bring a file there unless it is there, checked by hash; returns its path there."""

    @abc.abstractmethod
    def scratch(self, name: str) -> str:
        """A path there that the worker may write, gone after `close`."""

    @abc.abstractmethod
    def take(self, path: str) -> bytes:
        """Content of a file there."""

    @abc.abstractmethod
    def command(self, arguments: Sequence[str], seconds: float) -> list[str]:
        """The local command that runs a worker there, ended after so many seconds at the latest.

        Its standard streams are the worker's, without a terminal between.
        """

    def end(self) -> None:  # noqa: B027  nothing to do where the command is the worker itself
        """See to it that no worker runs on there; after one did not end by itself."""

    def fault(self, ending: Ending) -> EdgekitError:
        """The error for a worker that ended in the middle."""
        return fault(self.name, ending)

    def facts(self) -> Mapping[str, Any]:
        """For the environment of a report, as JSON."""
        return {}

    @abc.abstractmethod
    def close(self) -> None:
        """Leave it as it was found; may be called at any time, and twice."""


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def fault(name: str, ending: Ending, lost: Sequence[int] = ()) -> EdgekitError:
    """The error for a worker that ended in the middle.

    Args:
        name: Of the place.
        ending: How it ended.
        lost: Exit codes of a connection that broke.
    """
    last = f": {ending.said}" if ending.said else ""
    if ending.code in lost:
        return ConnectionLost(f"{name}: the connection broke{last}", "see whether it is reachable")
    if ending.code in KILLED:
        return DeviceError(
            f"{name}: the worker was killed by signal 9{last}",
            "most often memory ran out: close programs there, or take a smaller model",
        )
    if ending.code == TIMED_OUT:
        return DeviceError(
            f"{name}: the worker took too long and was ended{last}", "try a smaller model"
        )
    return DeviceError(
        f"{name}: the worker ended in the middle ({ending})",
        "run it again; if it stays so, report it with that line",
    )
