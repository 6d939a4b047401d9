"""Text in columns: comma, semicolon, tab or spaces between them, names in the first line.

`names` says how names are understood, `notes` which notes there are: lines that begin with `#`
before the names (`# voltage_v: 3.3`); others are remarks. A column `D0-D7` of eight digits, as the
nRF Connect Power Profiler exports it, is eight channels, the first digit `D0`; the samples of that
program are means, and it leaves out rows that were lost.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError
from edgekit.power._files.columns import recording
from edgekit.power._files.names import HINT
from edgekit.power._files.recording import Recording

NOTE = re.compile(r"#+\s*(\w+)\s*[:=]\s*(.+)")
PACKED, NORDIC = "D0-D7", ["Timestamp(ms)", "Current(uA)"]
Array = NDArray[np.float64]


def read(path: Path) -> Recording:
    """The trace of a text file.

    Raises:
        DataError: It has no line of names, or a value is no number.
    """
    lines = _lines(path)
    notes, names, separator, skip = _head(lines, path)
    if not any(line.strip() for line in lines[skip:]):
        raise DataError(f"{path} has names and no rows", "record a trace again")
    decimal = "," if separator == ";" else "."
    try:
        table = np.loadtxt(
            (line.replace(decimal, ".") for line in lines[skip:]),
            delimiter=separator,
            ndmin=2,
        )
    except ValueError as error:
        reason = str(error).split(";")[0]
        raise DataError(f"{path}: {reason}", "every row needs a number in every column") from None
    if table.shape[1] != len(names):
        what = f"{len(names)} names and {table.shape[1]} columns"
        raise DataError(f"{path} has {what}", "give every column a name")
    if names[:2] == NORDIC:
        notes = {"sample": "mean", "meter": "PPK2 (nRF Connect)", **notes}
    columns = {name: table[:, index] for index, name in enumerate(names)}
    return recording(_unpacked(columns), notes, str(path))


def _head(lines: list[str], path: Path) -> tuple[dict[str, str], list[str], str | None, int]:
    notes: dict[str, str] = {}
    for count, line in enumerate(lines, 1):
        text = line.strip()
        if note := NOTE.fullmatch(text):
            notes[note[1].lower()] = note[2].strip()
        elif text and not text.startswith("#"):
            separator = next((mark for mark in ("\t", ";", ",") if mark in text), None)
            names = [name.strip().strip("\"'") for name in text.split(separator)]
            if any(re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", name) for name in names):
                raise DataError(f"{path} has no names of columns in line {count}", HINT)
            return notes, names, separator, count
    raise DataError(f"{path} is empty", HINT)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        kinds = "npz, csv, LPM01A (.bin) or JLS"
        raise DataError(f"{path} is no recorded trace", f"give a file of {kinds}") from None


def _unpacked(columns: dict[str, Array]) -> dict[str, Array]:
    if PACKED not in columns:
        return columns
    bits = columns.pop(PACKED)
    return {**columns, **{f"D{i}": bits // 10 ** (7 - i) % 10 for i in range(8)}}
