"""A meter of what the kernel knows of power, here or on a machine that ssh reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.equipment import Option
from edgekit.errors import MissingExtra, UsageError
from edgekit.power._polled import INTERVAL, Polled, Readable, Sampling
from edgekit.power._sources import Source, find_sources

if TYPE_CHECKING:
    from edgekit.devices._ssh.connection import Connection

ROOT = Path("/sys")
OPTIONS = {
    "source": Option("one of several, e.g. intel-rapl:0, hwmon2/power1 or BAT0"),
    "host": Option("machine whose files they are, as ssh takes it; default this one"),
    "port": Option("of its ssh server, if not the configuration's", "whole"),
    "config": Option("path of an ssh configuration, if not your own"),
    "interval_ms": INTERVAL,
    "root": Option("folder instead of /sys"),
}


class Kernel(Polled):
    """Reads files in a thread here, or by a reader there."""

    options = OPTIONS

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        super().__init__(given)
        host = self.given.get("host", "")
        if host.startswith("-"):
            raise UsageError(
                f"'{host}' is no host", "a name of your ssh configuration, or user@name"
            )
        self._connection: Connection | None = None
        self._there: list[Source] = []

    def _sources(self) -> list[Source]:
        """Those of the machine that is meant."""
        root = str(self.given.get("root", ROOT))
        if "host" not in self.given:
            return find_sources(Path(root))
        import shutil

        from edgekit.devices._ssh.connection import Connection
        from edgekit.power._remote import fetch_sources

        if shutil.which("ssh") is None:
            raise MissingExtra("not installed: ssh", "sudo apt-get install openssh-client")
        given = self.given
        self._connection = Connection(given["host"], given.get("port"), given.get("config"))
        self._connection.open()
        self._there = fetch_sources(self._connection, root)
        return self._there

    def _make(self) -> Sampling:
        read: Sequence[Readable] = self._read
        if self._connection is None:
            return super()._make()
        from edgekit.power._remote import RemoteSampler

        sources = [source for source in self._there if source in read]
        return RemoteSampler(self._connection, sources, self._interval)

    def _close(self) -> None:
        super()._close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
