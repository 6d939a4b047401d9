"""An untrained network as a `.keras` file, the same bytes each time."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from edgekit.errors import UsageError
from edgekit.publish import write_file

_SUFFIX = ".keras"
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip archive can hold
_METADATA, _DATE = "metadata.json", "date_saved"


def refuse_place(place: Path) -> None:
    """Raise UsageError for an output that Keras would not take for a model."""
    if place.suffix != _SUFFIX:
        raise UsageError(f"{place}: a network is written as {_SUFFIX}", f"name it NAME{_SUFFIX}")


def save(model: Any, place: Path) -> None:
    """Write a Keras 3 model.

    Raises:
        UsageError: `place` has another suffix.
        OutputError: It cannot be written.
    """
    refuse_place(place)
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        path = Path(folder) / f"model{_SUFFIX}"
        model.save(path)
        write_file(place, _timeless(path))


def _timeless(path: Path) -> bytes:
    """The archive without the time at which it was written."""
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == _METADATA:
                told = {key: value for key, value in json.loads(data).items() if key != _DATE}
                data = json.dumps(told).encode()
            new.writestr(zipfile.ZipInfo(name, _TIME), data)
    return content.getvalue()
