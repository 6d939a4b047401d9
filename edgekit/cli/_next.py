"""What to do with a build: its files in the hands of an app, a board, a microcontroller."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LIBRARIES = {
    "aar": (".aar", "add {path} to the app's dependencies"),
    "npm": ("npm/package.json", "npm install {parent}"),
    "swift": ("swift/Package.swift", "add the package {parent} to the app in Xcode"),
    "python_package": (".whl", "pip install {path}"),
}
"""By kind of artifact: how the path of the one to take ends, and what to do with it."""


def uses(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Ways to use a build in `folder`, the best for its target first."""
    artifacts = manifest["artifacts"]
    if made := manifest.get("c_project"):
        place = f"{made['folder']}/{made['prefix']}.c"
        yield f"compile {place} into the device's program ({made['folder']}/README.md)"
    for artifact in artifacts:
        ending, text = _LIBRARIES.get(artifact["kind"], ("/", ""))
        path = folder / artifact["path"]
        if artifact["path"].endswith(ending):
            yield text.format(path=shlex.quote(f"{path}"), parent=shlex.quote(f"{path.parent}"))
    yield f"load {artifacts[0]['path']} on the device"
    arrays = [artifact["path"] for artifact in artifacts if artifact["kind"] == "c_array"]
    if arrays:
        yield f"compile {' and '.join(arrays)} into its program"
