"""One bench at a time on a device: a lock there, held by a shell that ends with its connection."""

from __future__ import annotations

import subprocess

from edgekit.devices._adb.client import AGAIN, COMMAND_S, Adb
from edgekit.devices._litert.lines import read_line
from edgekit.errors import ConnectionLost, DeviceError

# The lock is open as file 9 in a shell that becomes cat, and free at the end of its input, which a
# lost connection is, too. Not by `exec 9>`: Android's shell keeps such files to itself. Where there
# is no flock, nobody is refused.
SCRIPT = """( if command -v flock >/dev/null && ! flock -n 9
then echo busy $(cat {folder}/owner)
else echo {token} $$ >{folder}/owner; echo held; exec cat
fi ) 9>{folder}/lock"""


class Lock:
    """The lock of one device.

    Args:
        adb: For the device.
        folder: There.
        token: Names this bench.
    """

    def __init__(self, adb: Adb, folder: str, token: str) -> None:
        self._adb = adb
        self._folder = folder
        self._token = token
        self._holder: subprocess.Popen[bytes] | None = None

    def take(self, name: str) -> None:
        """Take it, also from an own holder whose connection was lost and who does not know yet.

        Raises:
            DeviceError: Another bench has it.
            ConnectionLost: The connection broke.
        """
        self.release()
        word, *owner = self._ask()
        if word == "busy" and owner[:1] == [self._token]:
            self._adb.shell(f"kill -9 -{owner[1]}")
            word, *owner = self._ask()
        if word == "busy":
            self.release()
            raise DeviceError(f"{name}: another bench is running there", "wait until it is done")
        if word != "held":
            self.release()
            raise ConnectionLost(f"{name}: the connection broke", AGAIN)

    def _ask(self) -> list[str]:
        script = SCRIPT.format(folder=self._folder, token=self._token)
        self.release()
        pipe = subprocess.PIPE
        self._holder = subprocess.Popen(
            self._adb.words("shell", "-T", script),
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        return read_line(self._holder.stdout, COMMAND_S).split() or [""]

    def release(self) -> None:
        """Give it back; may be called twice."""
        if self._holder is None:
            return
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        try:
            self._holder.wait(2)
        except subprocess.TimeoutExpired:
            self._holder.kill()
            self._holder.wait()
        self._holder.stdout.close()
        self._holder = None
