"""This machine, as a LiteRT device: `ai-edge-litert` in a process of its own for each window."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgekit.devices._litert.device import LiteRtDevice
from edgekit.devices._litert.place import Place
from edgekit.devices.base import Job

WORKER = Path(__file__).parent / "_litert" / "worker.py"


class Here(Place):
    """A folder for temporary files, and this Python."""

    name = "this machine"

    def __init__(self) -> None:
        self._folder = ""

    def open(self) -> None:
        """Make the folder; a worker's commands are parted by spaces, so its path has none."""
        parted = len(tempfile.gettempdir().split()) > 1
        self._folder = tempfile.mkdtemp(prefix="edgekit-", dir="/tmp" if parted else None)

    def put(self, path: Path) -> str:
        """A copy: files of the caller may go before the worker comes."""
        from edgekit.artifact import sha256

        target = Path(self._folder) / sha256(path.read_bytes())
        shutil.copyfile(path, target)
        return str(target)

    def scratch(self, name: str) -> str:
        """In the folder."""
        return str(Path(self._folder) / name)

    def take(self, path: str) -> bytes:
        """Read it."""
        return Path(path).read_bytes()

    def command(self, arguments: Sequence[str], seconds: float) -> list[str]:
        """This Python; whoever starts it ends it."""
        return [sys.executable, "-P", str(WORKER), *arguments]

    def facts(self) -> Mapping[str, Any]:
        """The processor."""
        return {"processor": processor()}

    def close(self) -> None:
        """Remove the folder."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""


class Driver(LiteRtDevice):
    """LiteRT here."""

    title = "this machine, with ai-edge-litert"
    kind = "host"

    def _connect(self, job: Job) -> Place:
        return Here()

    def identity(self) -> str:
        """Two at once would slow each other down."""
        return "host"


def processor() -> str:
    """Model of this machine's processor, as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
