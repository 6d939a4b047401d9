"""The adb program: commands and files for one device, each fault named.

adb itself ends with code 0 where a connection breaks in the middle of a command, so a command's
own code is printed behind its output, and a missing one tells of the break.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from edgekit._run import ToolError, run
from edgekit.devices._adb.attached import READY, Attached, parse_attached
from edgekit.errors import ConnectionLost, DeviceError, MissingExtra

COMMAND_S, FILE_S, CONNECT_S, LISTING_S = 20.0, 300.0, 15.0, 5.0
AGAIN = "see that it is plugged in, or reachable: adb devices"
FULL = ("No space left on device", "Disk quota exceeded")
_CODE = re.compile(r"edgekit-code:(\d+)\s*$")
_TCP = re.compile(r".+:\d+")


class Adb:
    """One device through the adb program.

    Args:
        program: Name or path of adb.
        serial: Of the device; empty until it is known.
    """

    def __init__(self, program: str, serial: str = "") -> None:
        self.program = program
        self.serial = serial

    def words(self, *arguments: str) -> list[str]:
        """The command line for this device."""
        return [self.program, *(["-s", self.serial] if self.serial else []), *arguments]

    def devices(self, seconds: float = COMMAND_S) -> list[Attached]:
        """What adb sees.

        Raises:
            DeviceError: adb does not work.
        """
        try:
            return parse_attached(run([self.program, "devices", "-l"], timeout=seconds).stdout)
        except ToolError as error:
            raise self._broken(error) from error

    def connect(self, wait: bool) -> None:
        """Make or mend the connection, as far as this side can; what came of it `devices` says.

        Args:
            wait: Whether the device was there before, and may be there again soon.

        Raises:
            DeviceError: adb does not work.
        """
        network = _TCP.fullmatch(self.serial)
        steps = [("disconnect", self.serial), ("connect", self.serial)]
        for step in steps if network else [("reconnect", "offline")]:
            self._try(step)
        if wait:
            self._try(("-s", self.serial, "wait-for-device"))

    def _try(self, words: Sequence[str]) -> None:
        try:
            run([self.program, *words], timeout=CONNECT_S)
        except ToolError as error:
            if error.missing:
                raise self._broken(error) from error

    def shell(self, command: str, seconds: float = COMMAND_S) -> tuple[int, str]:
        """Exit code and output, both streams together, of a command on the device.

        Raises:
            ConnectionLost: The connection broke.
        """
        whole = f"( {command} ) 2>&1; echo edgekit-code:$?"
        try:
            said = run(self.words("shell", "-T", whole), timeout=seconds).stdout
        except ToolError as error:
            raise self._lost(error) from error
        if (code := _CODE.search(said)) is None:
            raise ConnectionLost(f"{self.serial}: the connection broke", AGAIN)
        return int(code[1]), said[: code.start()].replace("\r\n", "\n")

    def push(self, path: Path, target: str) -> None:
        """Copy a file to the device.

        Raises:
            DeviceError: Its disk is full, or does not take the file.
            ConnectionLost: The connection broke.
        """
        self._copy(["push", str(path), target], f"{path.name} cannot be copied there")

    def pull(self, source: str, path: Path) -> None:
        """Copy a file from the device.

        Raises:
            DeviceError, ConnectionLost: As `push`.
        """
        self._copy(["pull", source, str(path)], f"{source} cannot be read")

    def full(self) -> DeviceError:
        """The error for a full disk."""
        hint = "make room there: adb shell df /data; then try again"
        return DeviceError(f"{self.serial}: its disk is full", hint)

    def _copy(self, words: list[str], what: str) -> None:
        try:
            run(self.words(*words), timeout=FILE_S)
        except ToolError as error:
            said = error.stderr + error.stdout
            if any(full in said for full in FULL):
                raise self.full() from error
            if error.returncode is None or not self._usable():
                raise self._lost(error) from error
            last = said.strip().splitlines()[-1:]
            raise DeviceError(f"{self.serial}: {what}: {' '.join(last)}", "adb doctor") from error

    def _usable(self) -> bool:
        return any(each.serial == self.serial and each.state == READY for each in self.devices())

    def _lost(self, error: ToolError) -> DeviceError:
        if error.missing:
            return self._broken(error)
        last = " ".join((error.stderr or error.message).strip().splitlines()[-1:])
        return ConnectionLost(f"{self.serial}: the connection broke ({last})", AGAIN)

    def _broken(self, error: ToolError) -> DeviceError:
        if error.missing:
            raise MissingExtra(error.message, "sudo apt-get install adb") from error
        return DeviceError(error.message, "adb kill-server, then try again")


def quoted(*words: str) -> str:
    """Words for the shell of the device."""
    return shlex.join(words)
