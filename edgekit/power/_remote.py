"""The kernel's files of another Linux machine, over the user's own ssh.

A reader there prints rows with its own times; its clock is read by the shortest of many round trips
(Cristian 1989), at the start and at the end.
"""

from __future__ import annotations

import contextlib
import queue
import shlex
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgekit._run import ToolError
from edgekit.devices._ssh.connection import Connection
from edgekit.errors import ConnectionLost, DeviceError
from edgekit.power._sampler import Samples
from edgekit.power._sources import Source, find_sources

READER = Path(__file__).with_name("_remote_reader.py")
WANTED = (
    "powercap/intel-rapl*/{name,energy_uj,max_energy_range_uj}",
    "hwmon/*/{name,power*_input,energy*_input,curr*_input,in*_input}",
    "power_supply/*/{type,status,power_now,current_now,voltage_now}",
)
TRIPS, PATIENCE_S = 20, 10.0


def fetch_sources(connection: Connection, root: str) -> list[Source]:
    """What it knows of power, with the paths that its files have there.

    Raises:
        ConnectionLost: It does not answer.
        DeviceError: It is not that kind of machine.
    """
    patterns = [f"{root}/class/{one}" for line in WANTED for one in _spread(line)]
    loop = "for f in " + " ".join(patterns) + '; do [ -e "$f" ] && echo "$f $(cat "$f")"; done'
    try:
        told = connection.run(f"sh -c {shlex.quote(f'{{ {loop}; }} 2>/dev/null; true')}")
    except ToolError as error:
        raise DeviceError(error.message, "it has to be a Linux machine with a shell") from error
    with tempfile.TemporaryDirectory() as folder:
        for line in told.splitlines():
            path, _, value = line.partition(" ")
            copy = Path(folder) / path.removeprefix(f"{root}/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(value)
        return [_there(source, Path(folder), Path(root)) for source in find_sources(Path(folder))]


def _spread(pattern: str) -> list[str]:
    folder, _, names = pattern.rstrip("}").partition("{")
    return [folder + name for name in names.split(",")]


def _there(source: Source, here: Path, there: Path) -> Source:
    files = {q: (there / path.relative_to(here), unit) for q, (path, unit) in source.files.items()}
    return replace(source, files=files, status=None, fed=source.charging())


class RemoteSampler:
    """A reader of the files of sources there, as `Sampler` is of those here."""

    def __init__(
        self, connection: Connection, sources: Sequence[Source], interval_s: float
    ) -> None:
        files = [file for source in sources for file in source.files.values()]
        self._units = [unit for _, unit in files]
        words = ["python3", "-u", "-c", READER.read_text(), str(interval_s)]
        self._line = shlex.join([*words, *(str(path) for path, _ in files)])
        self._connection = connection
        self._what = " and ".join(source.name for source in sources)
        self._samples = Samples()
        self._failed = ""
        self._pongs: queue.Queue[float | None] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="read remote power", daemon=True)
        self._offset = self._error = 0.0

    def start(self) -> None:
        """Start the reader, and read its clock.

        Raises:
            ConnectionLost: It does not answer.
        """
        pipe = subprocess.PIPE
        command = self._connection.command(self._line)
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        self._thread.start()
        self._offset, self._error = self._clock()

    def stop(self) -> Samples:
        """Read its clock again, end it, and give what it read, by the clock here.

        Raises:
            DeviceError: A file cannot be read.
            ConnectionLost: The connection broke.
        """
        offset, error = self._clock()
        self.abandon()
        moved = abs(offset - self._offset) / 2
        offset = (offset + self._offset) / 2
        self._samples.times_s = [moment - offset for moment in self._samples.times_s]
        self._samples.error_s += max(error, self._error) + moved
        return self._samples

    def abandon(self) -> None:
        """End it; may be called twice."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        for line in process.stdout:
            kind, _, rest = line.strip().partition(" ")
            if kind == "pong":
                self._pongs.put(float(rest))
            elif kind == "row":
                self._keep([float(word) for word in rest.split()])
            elif kind == "failed":
                self._failed = rest
        self._pongs.put(None)

    def _keep(self, row: list[float]) -> None:
        moment, took, *values = row
        if len(values) == len(self._units):
            self._samples.times_s.append(moment)
            self._samples.error_s = max(self._samples.error_s, took / 2)
            pairs = zip(values, self._units, strict=True)
            self._samples.rows.append([value * unit for value, unit in pairs])

    def _clock(self) -> tuple[float, float]:
        """Its clock less this one's, and how far that may be off."""
        trips = [self._trip() for _ in range(TRIPS)]
        return min(trips, key=lambda trip: trip[1])

    def _trip(self) -> tuple[float, float]:
        process = self._process
        if process is None or process.stdin is None:
            raise DeviceError("the meter is not connected", "open it first")
        sent = time.monotonic()
        try:
            process.stdin.write("ping\n")
            process.stdin.flush()
            there = self._pongs.get(timeout=PATIENCE_S)
        except (OSError, queue.Empty):
            there = None
        if there is None:
            raise self._why()
        received = time.monotonic()
        return there - (sent + received) / 2, (received - sent) / 2

    def _why(self) -> DeviceError:
        if self._failed:
            hint = "sudo chmod a+r it there, or check the sensor"
            return DeviceError(f"{self._what} cannot be read there: {self._failed}", hint)
        process = self._process
        said = ""
        if process is not None and process.poll() is not None and process.stderr is not None:
            said = process.stderr.read().strip()
        last = f": {said.splitlines()[-1]}" if said else ""
        return ConnectionLost(f"{self._what}: no answer{last}", "see whether it is reachable")
