"""Which devices adb sees, and which of them is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from edgekit.errors import DeviceError

READY = "device"
HINTS = {
    "unauthorized": "unlock it, and allow debugging by this computer in the dialog that it shows",
    "authorizing": "unlock it, and allow debugging by this computer in the dialog that it shows",
    "offline": "plug it in again, or run: adb reconnect offline",
    "no permissions": "give yourself access to its USB port: sudo apt-get install "
    "android-sdk-platform-tools-common, then log in again",
    "recovery": "start it normally",
    "sideload": "start it normally",
    "bootloader": "start it normally",
}


@dataclass(frozen=True)
class Attached:
    """A line of `adb devices -l`.

    Attributes:
        serial: Its number, or host and port.
        state: `device` where it can be used.
        facts: What it says of itself, e.g. `model`.
    """

    serial: str
    state: str
    facts: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        model = self.facts.get("model", "").replace("_", " ")
        shown = f"{self.serial} ({model})" if model else self.serial
        return shown if self.state == READY else f"{shown}, {self.state}"


def parse_attached(text: str) -> list[Attached]:
    """The devices in what `adb devices -l` prints."""
    lines = text.partition("List of devices attached")[2].splitlines()
    return [_attached(line) for line in lines if line.strip() and not line.startswith("*")]


def _attached(line: str) -> Attached:
    serial, rest = line.split(maxsplit=1)
    told = r"(\w+):(\S+)"
    state = re.split(rf"\s+{told}|;|\s\s", rest.strip())[0]
    return Attached(serial, re.sub(r"\s*\(.*", "", state), dict(re.findall(rf"\s{told}", rest)))


def choose(found: Sequence[Attached], serial: str | None) -> Attached:
    """The device that is meant.

    Raises:
        DeviceError: There is none, or more than one; or it cannot be used as it is.
    """
    meant = [each for each in found if serial in (None, each.serial)]
    if not meant:
        wanted = f"adb sees no device {serial}" if serial else "adb sees no device"
        others = ", ".join(each.serial for each in found)
        raise DeviceError(wanted, f"it sees {others}" if others else _how_to_attach(serial))
    if len(meant) > 1:
        shown = ", ".join(map(str, meant))
        raise DeviceError(f"adb sees more than one device: {shown}", "choose one: serial = ...")
    if meant[0].state != READY:
        hint = HINTS.get(meant[0].state, "see: adb devices -l")
        raise DeviceError(f"{meant[0].serial} is {meant[0].state}", hint)
    return meant[0]


def _how_to_attach(serial: str | None) -> str:
    if serial and ":" in serial:
        return f"see whether it is reachable and debugging over Wi-Fi is on: adb connect {serial}"
    return "plug it in and switch on USB debugging in its developer options"
