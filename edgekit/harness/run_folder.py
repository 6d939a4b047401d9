"""The folder of a run: raw samples and traces as they come, the report last.

    samples.jsonl     a line for each bunch of samples: {"window": 0, "ms": [...]}
    window-0.npz ...  the meter's trace of each window
    report.json       written last: a run without it was broken off

A folder without a report still has every sample that was taken; where none was, it is removed.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from edgekit.artifact import write_json
from edgekit.errors import ModelError, OutputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgekit.measure.energy import Span
    from edgekit.power.base import Trace

REPORT, SAMPLES = "report.json", "samples.jsonl"
NEEDED = {"validity", "codes", "kind", "settings", "model_sha256"}
"""Of a report, besides its figures, to compare it."""


class RunFolder:
    """A new folder below `parent`, called by a name and the next free number; a context manager.

    Attributes:
        path: Of it; None where nothing is kept.
    """

    def __init__(self, parent: Path | None, name: str) -> None:
        """Make it.

        Raises:
            OutputError: It cannot be written.
        """
        self.path = _make(parent, name) if parent else None
        self._file: IO[str] | None = None

    def samples(self, window: int, latencies_ms: Sequence[float]) -> None:
        """Keep latencies of a window, at once."""
        if self.path:
            self._file = self._file or (self.path / SAMPLES).open("w", encoding="utf-8")
            line = {"window": window, "ms": [round(value, 6) for value in latencies_ms]}
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def trace(self, window: int, trace: Trace, span: Span, inferences: int) -> None:
        """Keep what a meter recorded, and where the window is in it; for `edgekit energy`."""
        if self.path:
            from edgekit.power._files.write import write_trace

            write_trace(self.path / f"window-{window}.npz", trace, [span], [inferences])

    def finish(self, report: dict[str, Any]) -> None:
        """Write the report: the run is whole."""
        if self.path:
            staged = self.path / f".{REPORT}"
            write_json(staged, report)
            staged.rename(self.path / REPORT)

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._file:
            self._file.close()
        elif kind is not None and self.path:
            with contextlib.suppress(OSError):  # a trace lies there
                self.path.rmdir()


def read_report(path: Path) -> dict[str, Any]:
    """The report of a run: of its folder, or the file that `edgekit bench --json` printed.

    Raises:
        ModelError: There is none.
    """
    file = path / REPORT if path.is_dir() else path
    hint = "give the folder that edgekit bench wrote, or what bench --json printed"
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: no run of edgekit bench here", hint) from error
    if not isinstance(report, dict) or not _whole(report):
        raise ModelError(f"{path}: no run of edgekit bench here", hint)
    return report


def read_samples(path: Path) -> list[NDArray[np.float64]]:
    """ms of each inference, an array a window; empty where no samples were kept.

    Raises:
        ModelError: The file is damaged.
    """
    import numpy as np

    file = path / SAMPLES
    if not file.is_file():
        return []
    windows: dict[int, list[float]] = {}
    try:
        for line in file.read_text(encoding="utf-8").splitlines():
            part = json.loads(line)
            windows.setdefault(part["window"], []).extend(part["ms"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} is damaged", "bench again") from error
    return [np.asarray(windows[number], np.float64) for number in sorted(windows)]


def _whole(report: dict[str, Any]) -> bool:
    figures = (report.get(name, "") for name in ("latency", "energy", "emulated"))
    return report.keys() >= NEEDED and all(isinstance(one, dict | None) for one in figures)


def _make(parent: Path, name: str) -> Path:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            path = parent / f"{name}-{number:03}"
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return path
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputError(
            f"{parent} cannot be written: {why}", "choose one with --output"
        ) from error
    raise AssertionError("numbers do not end")
