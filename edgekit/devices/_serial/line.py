"""A serial line: text goes out, lines of text come in, each with the time at which it was whole."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from edgekit.errors import ConnectionLost, DeviceError, UsageError

POLL_S, WRITE_S, DRAIN_S = 0.05, 5.0, 1.0
"""How long one read waits, sending a command may take, and old lines are listened to."""
LONGEST = 1 << 19
"""More bytes than this without an end of line are garbage."""


@dataclass(frozen=True)
class Said:
    """A line, and when its last byte was here, on `time.monotonic`."""

    text: str
    at_s: float


class Line:
    """An open port; nobody else has it meanwhile."""

    def __init__(self, name: str, baud: int) -> None:
        """Open the port `name`: a device, a pseudo-terminal, or a URL as pyserial knows them.

        Raises:
            ConnectionLost: There is no such port.
            DeviceError: Another program has it, or this user may not open it.
            UsageError: It is no port, or has no such baud rate.
        """
        self.name = name
        self._rest = b""
        self._port = _open(name, baud)

    def send(self, text: str) -> None:
        """Send what has no end of line of its own.

        Raises:
            ConnectionLost: The port is gone, or takes nothing more.
        """
        try:
            self._port.write(text.encode("ascii"))
        except Exception as error:  # pyserial lets termios.error through, which is no OSError
            raise _lost(self.name, error) from error

    def read(self, quiet_s: float) -> Said | None:
        """The next line that is not empty; None where nothing came for `quiet_s` seconds.

        Raises:
            ConnectionLost: The port is gone.
            DeviceError: What comes has no lines.
        """
        until = time.monotonic() + quiet_s
        while True:
            text, end, rest = self._rest.partition(b"\n")
            if end:
                self._rest = rest
                if said := _clean(text):
                    return Said(said, time.monotonic())
                continue
            if more := self._receive(wait=quiet_s > 0):
                self._rest += more
                if len(self._rest) > LONGEST:
                    raise self._noise()
                until = time.monotonic() + quiet_s
            elif time.monotonic() >= until:
                return None

    def drain(self, quiet_s: float = 0.0) -> list[Said]:
        """What has arrived, until nothing more comes for `quiet_s` seconds; a half line is lost.

        A device that logs all the time is listened to for `DRAIN_S` seconds at most.
        """
        lines, until = [], time.monotonic() + DRAIN_S
        while (said := self.read(quiet_s)) and said.at_s < until:
            lines.append(said)
        self._rest = b""
        return lines

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    def _noise(self) -> DeviceError:
        return DeviceError(
            f"{self.name} sends bytes without end and no line among them",
            "compare the baud rate with the firmware's",
        )

    def _receive(self, wait: bool) -> bytes:
        try:
            return bytes(self._port.read(max(int(wait), self._port.in_waiting)))
        except Exception as error:  # as in `send`
            raise _lost(self.name, error) from error


def _open(name: str, baud: int) -> Any:
    import serial

    try:
        return serial.serial_for_url(
            name, baudrate=baud, timeout=POLL_S, write_timeout=WRITE_S, exclusive=True
        )
    except serial.SerialException as error:
        raise _refused(name, error) from error
    except (ValueError, OSError) as error:
        hint = "port = a device, e.g. /dev/ttyACM0, or a URL of pyserial; baud = e.g. 115200"
        raise UsageError(f"{name} cannot be used as a serial port: {error}", hint) from error


def _refused(name: str, error: Exception) -> DeviceError:
    text = str(error)
    if "lock" in text or "busy" in text:
        return DeviceError(
            f"{name} is in use by another program", "end the other bench, monitor or terminal"
        )
    if "Permission" in text or "Access" in text:
        return DeviceError(
            f"this user may not open {name}", "sudo usermod -aG dialout $USER, then log in again"
        )
    return ConnectionLost(f"no port {name}", "plug the board in; edgekit devices lists the ports")


def _lost(name: str, error: Exception) -> ConnectionLost:
    return ConnectionLost(
        f"{name} is gone: {error}", "check the cable and the power of the board, then try again"
    )


def _clean(text: bytes) -> str:
    return text.decode("ascii", "replace").strip("\r\0 \t")
