"""Points that are finished, so that an analysis that was killed goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Figures = tuple[float, float]
"""Loss and metric."""


class Journal:
    """One line a point, appended when it is measured; it is gone when all are.

    Args:
        path: Of the file; None keeps none.
        key: Hash of everything that the points depend on.
        resume: Whether the points of an earlier run with the same key are used.
    """

    def __init__(self, path: Path | None, key: str, resume: bool) -> None:
        self._path, self._points = path, dict[str, Figures]()
        if path is None:
            return
        if resume:
            self._points = _read(path, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            file.write(json.dumps({"key": key}) + "\n")
            file.writelines(_line(name, *each) for name, each in self._points.items())

    def find(self, name: str) -> Figures | None:
        """The figures of a point, None where it is still to be measured."""
        return self._points.get(name)

    def add(self, name: str, figures: Figures) -> None:
        """Keep a point."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(name, *figures))

    def remove(self) -> None:
        """All is written: nothing will be resumed."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _line(name: str, loss: float, metric: float) -> str:
    return json.dumps([name, loss, metric]) + "\n"


def _read(path: Path, key: str) -> dict[str, Figures]:
    """The points of a file; none of one that is about something else. A torn last line is left."""
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        if json.loads(first) != {"key": key}:
            return {}
    except (OSError, ValueError):
        return {}
    points: dict[str, Figures] = {}
    for line in lines:
        try:
            name, loss, metric = _fields(json.loads(line))
        except (ValueError, TypeError):
            break
        points[name] = loss, metric
    return points


def _fields(data: Any) -> tuple[str, float, float]:
    name, loss, metric = data
    return str(name), float(loss), float(metric)
