"""HDF5 files looked at in a child process first: the C library aborts or loops on damaged ones.

What the child survives, Keras may open in this process.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from edgekit._run import ToolError, run
from edgekit.errors import ModelError
from edgekit.importers import _hdf5_child
from edgekit.importers._hdf5_child import SAVE_AGAIN, SECONDS


@dataclass(frozen=True)
class Report:
    """What is in an HDF5 file.

    Attributes:
        keras_version: Of the Keras that wrote it; '' where it says nothing.
        model_config: The model's JSON, None in a file of weights only.
    """

    keras_version: str
    model_config: str | None

    @property
    def format(self) -> Literal["h5", "h5-keras3"]:
        """`h5-keras3` when Keras 3 wrote it."""
        return "h5-keras3" if self.keras_version.startswith("3") else "h5"


def inspect(path: Path, label: str = "") -> Report:
    """Check an HDF5 file in a child process; remembered until the file changes.

    Args:
        path: The file.
        label: What to call it in messages; default: the path.

    Raises:
        ModelError: It is damaged, too large, or links to other files.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read: {error.strerror}", "check the file and its permissions"
        ) from error
    return _inspect(path.resolve(), stat.st_mtime_ns, stat.st_size, label or str(path))


@lru_cache(maxsize=16)
def _inspect(path: Path, _modified: int, _size: int, label: str) -> Report:
    # -P: the folder of the child's file holds modules named like Keras's
    command = [sys.executable, "-P", _hdf5_child.__file__, str(path)]
    try:
        found = json.loads(run(command, timeout=SECONDS).stdout)
    except (ToolError, ValueError) as error:
        raise ModelError(
            f"{label} is damaged: the HDF5 library cannot read it", SAVE_AGAIN
        ) from error
    if "error" in found:
        raise ModelError(f"{label} {found['error']}", found["hint"])
    return Report(found["keras_version"], found["model_config"])
