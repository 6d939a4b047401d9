"""Files on a device, by their hash: there once, and only whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edgekit.devices._adb.client import FULL, Adb
from edgekit.errors import ConnectionLost, DeviceError

FOLDER = "/data/local/tmp/edgekit"
"""The one place on a phone without root where files can be written and run."""


def upload(adb: Adb, path: Path, token: str) -> str:
    """Bring a file to `FOLDER/SHA256`: beside first, and renamed when the hash there is right.

    Args:
        adb: For the device.
        path: Of the file here.
        token: Names this bench, and what it has not brought over yet.

    Raises:
        DeviceError: The disk there is full, or does not take it.
        ConnectionLost: The connection broke.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    target = f"{FOLDER}/{digest}"
    if _hash(adb, target) == digest:
        return target
    beside = f"{target}.{token}"
    try:
        adb.push(path, beside)
        if _hash(adb, beside) != digest:
            raise DeviceError(f"{adb.serial}: {path.name} arrived damaged", "try again")
        must(adb, f"chmod 755 {beside} && mv {beside} {target}")
    except ConnectionLost:
        raise
    except DeviceError:
        adb.shell(f"rm -f {beside}")
        raise
    return target


def must(adb: Adb, command: str) -> str:
    """The output of a command that must succeed.

    Raises:
        DeviceError: It does not.
        ConnectionLost: The connection broke.
    """
    code, said = adb.shell(command)
    if code and any(full in said for full in FULL):
        raise adb.full()
    if code:
        hint = f"by hand: adb shell {command}"
        raise DeviceError(f"{adb.serial}: {said.strip() or f'exit code {code}'}", hint)
    return said


def _hash(adb: Adb, path: str) -> str:
    """SHA-256 of a file there; empty where there is none."""
    return adb.shell(f"sha256sum {path} 2>/dev/null")[1].partition(" ")[0].strip()
