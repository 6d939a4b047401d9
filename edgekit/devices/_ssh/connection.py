"""One connection of the user's own OpenSSH client, shared by all commands.

Configuration, agent and jump hosts are the user's; host keys are checked as he has it. Commands go
through the master's socket alone: `ProxyCommand=false` keeps a client whose master is gone from
connecting by itself, unnoticed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from edgekit._run import ToolError, run
from edgekit.errors import ConnectionLost, DeviceError, EdgekitError

LOST = 255
"""What ssh returns where the connection, not the command, failed."""
CONNECT_S, COMMAND_S = 30.0, 120.0
_LONGEST_FOLDER = 60
"""Characters: a socket's path has at most 107, and ssh appends 17 while it makes one."""
_QUIET = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "RemoteCommand=none"]
_QUIET += ["-o", "ClearAllForwardings=yes", "-o", "ForwardX11=no", "-o", "ControlPersist=no"]
_ALIVE = ["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"]


class Connection:
    """A connection to a host.

    Args:
        host: As `ssh` takes it: a name of the user's configuration, or `user@address`.
        port: If not that of the configuration.
        config: Path of an ssh configuration, if not the user's.
    """

    def __init__(self, host: str, port: int | None = None, config: str | None = None) -> None:
        self._host = host
        self._where = [*(["-F", config] if config else []), *(["-p", str(port)] if port else [])]
        self._master: subprocess.Popen[bytes] | None = None
        self._folder = ""

    def open(self) -> None:
        """Connect.

        Raises:
            ConnectionLost: It is not reachable now.
            DeviceError: Its key is not known, or it does not let this user in.
        """
        self._folder = tempfile.mkdtemp(prefix="edgekit-", dir=_short_folder())
        with open(Path(self._folder) / "log", "wb") as log:
            self._master = subprocess.Popen(
                ["ssh", *self._where, *_QUIET, *_ALIVE, "-MN", "-S", self._socket, self._host],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + CONNECT_S
        while not os.path.exists(self._socket):
            if self._master.poll() is not None or time.monotonic() > until:
                raise self._refused()
            time.sleep(0.02)

    def command(self, line: str) -> list[str]:
        """The local command that runs a command line there."""
        reuse = ["-o", "ControlMaster=no", "-o", "ProxyCommand=false", "-S", self._socket]
        return ["ssh", *self._where, *_QUIET, *reuse, self._host, line]

    def run(self, line: str, stdin: bytes = b"", seconds: float = COMMAND_S) -> str:
        """What a command line prints there.

        Raises:
            ConnectionLost: The connection broke.
            ToolError: The command failed.
        """
        try:
            return run(self.command(line), stdin=stdin, timeout=seconds).stdout
        except ToolError as error:
            if error.returncode == LOST:
                raise lost(self._host, error.stderr) from None
            raise

    def read(self, line: str, seconds: float = COMMAND_S) -> bytes:
        """The same in binary, of a command that does not fail but for the connection."""
        nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
        with subprocess.Popen(self.command(line), stdin=nothing, stdout=pipe, stderr=pipe) as done:
            try:
                output, errors = done.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                done.kill()
                raise lost(self._host, f"no answer for {seconds:.0f} s") from None
        if done.returncode:
            raise lost(self._host, errors.decode(errors="replace"))
        return output

    def close(self) -> None:
        """Disconnect; may be called twice."""
        if self._master is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._master.pid, signal.SIGTERM)
            try:
                self._master.wait(5)
            except subprocess.TimeoutExpired:
                self._master.kill()
                self._master.wait()
            self._master = None
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    @property
    def _socket(self) -> str:
        return f"{self._folder}/s"

    def _refused(self) -> EdgekitError:
        said = (Path(self._folder) / "log").read_text(errors="replace")
        for text, hint in _FOR_GOOD.items():
            if text in said:
                return DeviceError(f"{self._host}: {_last(said, text)}", hint.format(self._host))
        return lost(self._host, said)


_FOR_GOOD = {
    "IDENTIFICATION HAS CHANGED": "its key is another than known_hosts has: see that it is the "
    "same board, then remove the old key with ssh-keygen -R",
    "Host key verification failed": "connect once by hand and compare its key: ssh {}",
    "Permission denied": "let it know your key: ssh-copy-id {}, or start your ssh agent",
    "Could not resolve hostname": "see host in lab.toml; it is what ssh takes",
    "Bad configuration option": "mend the ssh configuration",
}


def lost(host: str, said: str) -> ConnectionLost:
    """The error for a connection that broke, or did not come about."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    why = f": {lines[-1]}" if lines else ""
    return ConnectionLost(f"{host}: no connection{why}", f"see whether it is reachable: ssh {host}")


def _last(said: str, text: str) -> str:
    """The last line that says so."""
    return [line.strip(" @\r") for line in said.splitlines() if text in line][-1]


def _short_folder() -> str | None:
    return "/tmp" if len(tempfile.gettempdir()) > _LONGEST_FOLDER else None
