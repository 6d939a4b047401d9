"""Commands and replies on a line that loses and adds bytes.

A command ends with `%`; its reply is lines, the last of which is `m-ready`. What begins with `m-`
is for the host, with `e-` an error. A reply that lacks what it must hold is asked for again,
`RETRIES` times in all. Source: github.com/mlcommons/tiny, benchmark/api/internally_implemented.cpp.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence

from edgekit.devices._serial.line import Line, Said
from edgekit.errors import ConnectionLost, DeviceError

READY = "m-ready"
RETRIES = 3
SETTLE_S = 0.2
"""How long nothing may come before what comes next is the reply to the next command."""
QUIET_S = 2.0
"""How long nothing may come during a short command; a board that resets needs as much."""
MOST_LINES = 100_000
"""A reply that is longer has no end."""
_RESTARTED = re.compile(r"m-init-done|m-timestamp-mode-")


class SilenceError(DeviceError):
    """Nothing came for as long as the command may take."""


class Exchange:
    """One line, one device.

    Attributes:
        line: The line.
        garbled: Replies that made no sense.
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self.garbled = 0

    def ask(self, command: str, quiet_s: float = 0.0, waking: bool = False) -> list[Said]:
        """Send a command; its reply.

        Args:
            command: Without the `%`.
            quiet_s: How long nothing may come but what is not for the host; default: `QUIET_S`.
            waking: Whether the device may restart meanwhile.

        Raises:
            SilenceError: Nothing came, or no `m-ready`.
            ConnectionLost: The device restarted, or the port is gone.
            DeviceError: The reply has no end.
        """
        quiet_s = quiet_s or QUIET_S
        before = self.line.drain()
        if not waking:
            _require_same_boot(before, command)
        self.line.send(f"{command}%")
        lines, last_s = list[Said](), time.monotonic()
        while (said := self.line.read(quiet_s)) and said.at_s - last_s <= quiet_s:
            last_s = said.at_s if said.text.startswith(("m-", "e-")) else last_s
            lines.append(said)
            if not waking:
                _require_same_boot([said], command)
            if said.text == READY:
                return lines
            if len(lines) > MOST_LINES:
                raise self.nonsense(command)
        raise SilenceError(
            f"{self.line.name} does not answer '{command}': nothing for {quiet_s:.3g} s",
            "is the firmware of c_project/serial running, and the baud rate its own?",
        )

    def wanted(self, command: str, *patterns: str, waking: bool = False) -> list[str]:
        """What each pattern finds in the reply to a short command.

        Raises:
            DeviceError: It is not there though it was asked for again; see `ask`, too.
        """
        silence, lines = None, list[Said]()
        for attempt in range(RETRIES):
            if waking and attempt:
                self.line.drain(SETTLE_S)  # what is left of the reply before is not this one's
            try:
                lines, silence = self.ask(command, waking=waking), None
            except SilenceError as error:
                silence = error
            found = [one for pattern in patterns if (one := first(pattern, lines)) is not None]
            if not silence and len(found) == len(patterns):
                return found
            self.garbled += not waking
        raise silence or self.wrong(command, lines)

    def wrong(self, command: str, lines: Sequence[Said]) -> DeviceError:
        """The error for a reply that does not hold what it should."""
        said = error_of(lines)
        return refusal(command, said) if said else self.nonsense(command)

    def nonsense(self, command: str) -> DeviceError:
        """The error for garbage."""
        return DeviceError(
            f"{self.line.name} answers '{command}' with what makes no sense, {RETRIES} times",
            "compare the baud rate with the firmware's; try another cable",
        )


def first(pattern: str, lines: Iterable[Said]) -> str | None:
    """The group of the first line that matches as a whole."""
    return next((found[1] for said in lines if (found := re.fullmatch(pattern, said.text))), None)


def error_of(lines: Iterable[Said]) -> str:
    """What the device complains of; empty where it does not."""
    return first(r"e-\[(.*)\]", lines) or ""


def refusal(command: str, said: str) -> DeviceError:
    """The error for a complaint of the device."""
    return DeviceError(
        f"the device refuses '{command}': {said}", "flash the firmware of this build, c_project/"
    )


def _require_same_boot(lines: Iterable[Said], command: str) -> None:
    if any(_RESTARTED.match(said.text) for said in lines):
        raise ConnectionLost(
            f"the device restarted before it had answered '{command}'",
            "check its power supply; a fault in the firmware restarts it, too",
        )
