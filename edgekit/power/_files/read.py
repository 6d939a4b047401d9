"""Read a recorded trace, whatever kind of file it is in."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.power._files.recording import Recording
    from edgekit.power.base import Trace

HEADS = {b"PK": "npz", b"\xf1": "lpm01a", b"jlsfmt": "jls"}
LOG, HEAD = re.compile(rb"^\d{4}[+-]\d{2}\s*$|TimeStamp:", re.MULTILINE), 4096
SUFFIXES = (".npz", ".bin", ".jls", ".csv", ".tsv", ".txt")
NOT_TRACES = ("results.txt",)


def read_recording(path: Path) -> Recording:
    """The trace of a file, or of the only one in a folder, with what lies beside it.

    Raises:
        UsageError: There is no such file, or the folder has not exactly one.
        DataError: It is no trace, or a damaged one.
        MissingExtra: Reading its kind needs a package.
    """
    file = _only(path) if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise UsageError(f"no trace {path}: {error.strerror}", "give a recorded file") from None
    text = "lpm01a_text" if LOG.search(head) else "csv"
    kind = next((kind for magic, kind in HEADS.items() if head.startswith(magic)), text)
    reader = importlib.import_module(f"edgekit.power._files.{kind}")
    recording: Recording = reader.read(file)
    return recording


def read_trace(path: Path) -> Trace:
    """The trace alone; as `read_recording`."""
    return read_recording(path).trace


def _only(folder: Path) -> Path:
    traces = [p for p in sorted(folder.iterdir()) if p.suffix in SUFFIXES]
    for suffix in SUFFIXES:
        found = [p for p in traces if p.suffix == suffix and p.name not in NOT_TRACES]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(p.name for p in found)
            raise UsageError(f"{folder} has several traces: {names}", "give one of the files")
    raise UsageError(f"{folder} has no trace", f"give a file: {', '.join(SUFFIXES)}")
