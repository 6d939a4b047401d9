"""Files of a library by their names, written below a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write each content at its path below `folder`; the paths, in the order of the contents."""
    paths = [folder / name for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return paths
