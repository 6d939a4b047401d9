"""Read a recorded trace, whatever kind of file it is in."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.errors import UsageError
from edgekit.power._files.join import join

if TYPE_CHECKING:
    from edgekit.power._files.recording import Recording
    from edgekit.power.base import Trace

HEADS = {b"PK": "npz", b"\xf1": "lpm01a", b"jlsfmt": "jls"}
LOG, HEAD = re.compile(rb"^\d{4}[+-]\d{2}\s*$|TimeStamp:", re.MULTILINE), 4096
SUFFIXES = (".npz", ".bin", ".jls", ".csv", ".tsv", ".txt")
NOT_TRACES = ("results.txt",)


def read_recording(path: Path) -> Recording:
    """The trace of a file, or of a folder, with what lies beside it.

    A folder has one trace, or the captures of one run on one clock, which are joined.

    Raises:
        UsageError: There is no such file, or the folder has several that are no run.
        DataError: It is no trace, or a damaged one.
        MissingExtra: Reading its kind needs a package.
    """
    if not path.is_dir():
        return _read(path)
    files = _traces(path)
    if len(files) == 1:
        return _read(files[0])
    joined = join([_read(file) for file in files])
    if joined is None:
        names = ", ".join(file.name for file in files)
        raise UsageError(f"{path} has several traces: {names}", "give one of the files")
    return joined


def read_trace(path: Path) -> Trace:
    """The trace alone; as `read_recording`."""
    return read_recording(path).trace


def _read(path: Path) -> Recording:
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise UsageError(f"no trace {path}: {error.strerror}", "give a recorded file") from None
    text = "lpm01a_text" if LOG.search(head) else "csv"
    kind = next((kind for magic, kind in HEADS.items() if head.startswith(magic)), text)
    reader = importlib.import_module(f"edgekit.power._files.{kind}")
    recording: Recording = reader.read(path)
    return recording


def _traces(folder: Path) -> list[Path]:
    """Files of the first suffix that there is; those of a run by their numbers."""
    for suffix in SUFFIXES:
        found = [p for p in folder.iterdir() if p.suffix == suffix and p.name not in NOT_TRACES]
        if found:
            return sorted(found, key=lambda path: (len(path.name), path.name))
    raise UsageError(f"{folder} has no trace", f"give a file: {', '.join(SUFFIXES)}")
