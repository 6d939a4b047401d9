"""`libLiteRt.so` for a device: a file, or out of the AAR that the app's build uses, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgekit.devices._adb.compile import existing
from edgekit.errors import UsageError

LIBRARY = "libLiteRt.so"
HINT = f"runtime = path of the AAR com.google.ai.edge.litert:litert, or of its {LIBRARY}"


def runtime_for(abi: str, given: Mapping[str, Any], folder: Path) -> Path:
    """The library; out of an AAR it is taken into `folder`.

    Raises:
        UsageError: None is given, or it is not there.
    """
    import zipfile

    if not given.get("runtime"):
        raise UsageError("no LiteRT to run on the device", HINT)
    path = existing(given["runtime"], "runtime")
    if not zipfile.is_zipfile(path):
        return path
    member = f"jni/{abi}/{LIBRARY}"
    with zipfile.ZipFile(path) as archive:
        if member not in archive.namelist():
            raise UsageError(f"{path} has no {member}", HINT)
        target = folder / LIBRARY
        target.write_bytes(archive.read(member))
    return target
