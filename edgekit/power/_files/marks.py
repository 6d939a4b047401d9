"""Files that say where the windows of a trace are.

JSON: a list of times in s (pairs in order, of an odd number the first is left out), or a list of
pairs, plain or as `start_s` and `end_s`. Text: a line a window, its start and its end in s, or a
line a time, with or without a line of names.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from edgekit.errors import DataError
from edgekit.measure.spans import Span, marks

HINT = "give [[start, end], ...] in seconds as JSON, or lines of start,end"


def read_marks(path: Path) -> list[Span]:
    """The windows of a file.

    Raises:
        DataError: It holds none, or they are not in order.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"marks {path} cannot be read: {error}", HINT) from None
    try:
        return _of(json.loads(text))
    except json.JSONDecodeError:
        return _of(_values(_rows(text), path))
    except (ValueError, TypeError, KeyError):
        raise DataError(f"{path} holds no windows", HINT) from None


def _of(found: Any) -> list[Span]:
    if isinstance(found, dict):
        found = next((found[key] for key in ("windows", "marks", "timestamps") if key in found), 0)
    if all(isinstance(one, int | float) for one in found):
        return marks([float(one) for one in found])
    spans = [Span(*_ends(one)) for one in found]
    if any(later.start_s < earlier.end_s for earlier, later in pairwise(spans)):
        raise DataError("the windows of the marks overlap or are not in order", "sort them by time")
    return spans


def _ends(one: Any) -> tuple[float, float]:
    if isinstance(one, dict):
        keys = ("start_s", "end_s") if "start_s" in one else ("start", "end")
        one = [one[key] for key in keys]
    start, end = one
    return float(start), float(end)


def _rows(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    rows = [line for line in lines if line and not line.startswith("#")]
    return rows[1:] if rows and re.match(r"[\"']?[A-Za-z_]", rows[0]) else rows


def _values(rows: list[str], path: Path) -> list[Any]:
    """A number a row, or a pair a row."""
    found = []
    for row in rows:
        try:
            found.append([float(part) for part in re.split(r"[;,\s]+", row)[:2]])
        except ValueError:
            raise DataError(f"{path}: '{row[:40]}' is no pair of times", HINT) from None
    if len({len(values) for values in found}) > 1:
        raise DataError(f"{path} mixes pairs and single times", HINT)
    return [values[0] for values in found] if found and len(found[0]) == 1 else found
