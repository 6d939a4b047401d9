"""An Android device as a place for workers: files by their hash, one lock, nothing left running."""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgekit.devices._adb.attached import READY, choose
from edgekit.devices._adb.client import AGAIN, Adb, quoted
from edgekit.devices._adb.dumpsys import Thermal, parse_charging, parse_properties, parse_thermal
from edgekit.devices._adb.files import FOLDER, must, upload
from edgekit.devices._adb.lock import Lock
from edgekit.devices._litert.place import Ending, Place, fault
from edgekit.errors import ConnectionLost, DeviceError, EdgekitError

KILL_AFTER_S = 5
PROPERTIES = {
    "manufacturer": "ro.product.manufacturer",
    "model": "ro.product.model",
    "soc": "ro.soc.model",
    "android": "ro.build.version.release",
    "abi": "ro.product.cpu.abi",
}
LOST = (0, 255)
"""Codes of the adb program where a connection breaks while a worker runs."""


class Phone(Place):
    """One device.

    Args:
        adb: For it; its serial may be empty where only one is attached.
        token: Names the bench, so that it knows what a lost connection of its own left there.
        known: Whether it was there before, so that it may come back.

    Attributes:
        worker: Command that runs a worker there, but for its arguments.
        library: Path of LiteRT there, which ends with its hash.
        machine: Of its kernel, e.g. `aarch64`; after `open`.
        properties: What `getprop` says; empty where there is none.
    """

    def __init__(self, adb: Adb, token: str, known: bool = False) -> None:
        self.name = adb.serial or "the phone"
        self.adb = adb
        self._known = known
        self.worker: Sequence[str] = ()
        self.library = ""
        self.machine = ""
        self.properties: Mapping[str, str] = {}
        self._token = token
        self._lock = Lock(adb, FOLDER, self._token)

    def open(self) -> None:
        """Choose the device, take its lock, ask what it is, and remove what lost benches left."""
        self._attach()
        must(self.adb, f"mkdir -p {FOLDER}")
        self._lock.take(self.name)
        self.end()
        said = must(self.adb, f"rm -f {FOLDER}/*.*; uname -m; getprop 2>/dev/null || true")
        self.machine = said.partition("\n")[0]
        self.properties = parse_properties(said)
        if model := self.properties.get(PROPERTIES["model"]):
            self.name = f"{model} ({self.adb.serial})"

    def _attach(self) -> None:
        serial = self.adb.serial or None
        found = self.adb.devices()
        if serial and (serial, READY) not in {(each.serial, each.state) for each in found}:
            self.adb.connect(wait=self._known)
            found = self.adb.devices()
        try:
            self.adb.serial = self.name = choose(found, serial).serial
        except DeviceError as error:
            if self._known:
                raise ConnectionLost(error.message, error.hint) from error
            raise

    def put(self, path: Path) -> str:
        """At a path that ends with its hash."""
        return upload(self.adb, path, self._token)

    def scratch(self, name: str) -> str:
        """In the folder, with a name of this bench."""
        return f"{FOLDER}/{name}.{self._token}"

    def take(self, path: str) -> bytes:
        """By adb pull."""
        with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
            target = Path(folder) / "taken"
            self.adb.pull(path, target)
            return target.read_bytes()

    def command(self, arguments: Sequence[str], seconds: float) -> list[str]:
        """Through adb without a terminal, `timeout` around it, its process group noted."""
        limit = f"timeout -k {KILL_AFTER_S} {math.ceil(seconds)}"
        run = quoted(*self.worker, *arguments)
        script = f"echo $$ >{self.scratch('group')}; cd {FOLDER} && exec {limit} {run}"
        return self.adb.words("shell", "-T", script)

    def end(self) -> None:
        """Kill the process group that was noted last."""
        group = self.scratch("group")
        still = f"case $(cat /proc/$g/cmdline 2>/dev/null) in *{FOLDER}*) kill -9 -$g;; esac"
        # without a connection, `timeout` there or the end of its input sees to it
        with contextlib.suppress(DeviceError):
            self.adb.shell(f"[ -f {group} ] && g=$(cat {group}) && {still}; rm -f {group}")

    def fault(self, ending: Ending) -> EdgekitError:
        """adb's own code of a lost connection is 0 or 1."""
        if ending.code == 1 and ending.said.startswith(("adb:", "error:")):
            return ConnectionLost(f"{self.name}: {ending.said}", AGAIN)
        return fault(self.name, ending, LOST)

    def facts(self) -> Mapping[str, Any]:
        """What the device says of itself; None where it does not."""
        told = {key: self.properties.get(name) for key, name in PROPERTIES.items()}
        return {**told, "library_sha256": self.library.rpartition("/")[2] or None}

    def thermal(self) -> Thermal | None:
        """Thermal status now; None where the device has none."""
        return parse_thermal(self.adb.shell("dumpsys thermalservice 2>/dev/null")[1])

    def charging(self) -> bool | None:
        """Whether its battery is being charged; None where it does not say."""
        return parse_charging(self.adb.shell("dumpsys battery 2>/dev/null")[1])

    def close(self) -> None:
        """Remove what this bench wrote but for the cached files, and give the lock back."""
        if self.machine:
            self.end()
            with contextlib.suppress(DeviceError):
                self.adb.shell(f"rm -f {FOLDER}/*.{self._token}")
        self._lock.release()
        self.machine = ""
