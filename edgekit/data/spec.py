"""What a user writes for DATA: `PATH[:array[,labels]][[start:stop]]`, `python:module:function`.

kws.npz:x_int8[:100]     rows 0 to 99 of one array; without labels, as calibration wants
kws.npz:x_int8,y[100:]   the other rows and their labels
rows.csv:,class          all columns but `class`, which is the label
photos                   a folder of pictures, wav or npy files
python:loader:rows       whatever `rows()` of loader.py yields
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import DataError, UsageError

_RANGE = re.compile(r"\[\s*([+-]?\d*)\s*:\s*([+-]?\d*)\s*\]$")
_BRACKETS = re.compile(r"\[[^\[\]]*\]$")
_FUNCTION = re.compile(r"python:([A-Za-z_][\w.]*):([A-Za-z_]\w*)$")


@dataclass(frozen=True)
class Spec:
    """One DATA option, taken apart.

    Attributes:
        text: As the user wrote it.
        path: The file or folder; of a Python entry point, the folder it is imported from.
        module: Of a Python entry point, else empty.
        function: Of a Python entry point, else empty.
        array: Name of the array, empty when none was given.
        labels: Name of the label array or column, empty when none was given.
        start: First row, as written; negative counts from the end.
        stop: Row after the last, as written.
    """

    text: str
    path: Path
    module: str = ""
    function: str = ""
    array: str = ""
    labels: str = ""
    start: int | None = None
    stop: int | None = None

    @property
    def name(self) -> str:
        """The file's, folder's or function's short name, for messages."""
        return f"{self.module}:{self.function}" if self.module else self.path.name

    def rows(self, length: int) -> range:
        """The rows that [start:stop] means in a set of `length` rows.

        Raises:
            DataError: it means no rows.
        """
        rows = range(length)[self.start : self.stop]
        if not rows:
            what = "has no rows" if length == 0 else f"selects none of the {length} rows"
            raise DataError(
                f"{self.text} {what}",
                "give a set that has rows"
                if length == 0
                else f"rows are numbered 0 to {length - 1}: write for example [:{length}]",
            )
        return rows


def parse(text: str, root: Path = Path()) -> Spec:
    """Take one DATA option apart; the longest path that exists wins over `:` and `[`.

    Args:
        text: The option.
        root: Folder that relative paths start from.

    Raises:
        DataError: no such file or folder.
        UsageError: a range or an entry point that is written wrongly.
    """
    if not text.strip():
        raise UsageError(
            "an empty DATA option", "write for example --calibration images/ or data.npz:x[:100]"
        )
    if (path := _existing(text, root)) is not None:
        return Spec(text, path)
    body, start, stop = _split_range(text)
    if body.startswith("python:"):
        return _entry_point(text, body, root, start, stop)
    for end in [len(body), *(m.start() for m in reversed(list(re.finditer(":", body))))]:
        if (path := _existing(body[:end], root)) is not None:
            array, labels = _selector(text, body[end + 1 :])
            return Spec(text, path, array=array, labels=labels, start=start, stop=stop)
    raise _missing(body, root)


def _split_range(text: str) -> tuple[str, int | None, int | None]:
    if found := _RANGE.search(text):
        try:
            start, stop = (int(part) if part else None for part in found.groups())
        except ValueError:
            raise _bad_range(text) from None
        return text[: found.start()].rstrip(), start, stop
    if _BRACKETS.search(text):
        raise _bad_range(text)
    return text, None, None


def _bad_range(text: str) -> UsageError:
    brackets = _BRACKETS.search(text)
    found = brackets.group() if brackets else text
    example = f"{text[: -len(found)]}[0:100]"
    return UsageError(
        f"{text}: {found} is no range of rows", f"write [start:stop], for example {example}"
    )


def _entry_point(text: str, body: str, root: Path, start: int | None, stop: int | None) -> Spec:
    found = _FUNCTION.match(body)
    if not found:
        raise UsageError(
            f"{text} is no Python entry point",
            "write python:module:function, for example python:loader:rows",
        )
    return Spec(text, root, found.group(1), found.group(2), start=start, stop=stop)


def _selector(text: str, selector: str) -> tuple[str, str]:
    array, comma, labels = selector.partition(",")
    if "," in labels:
        raise UsageError(
            f"{text} names more than an array and its labels", "write PATH:array,labels"
        )
    if comma and not labels.strip():
        raise UsageError(
            f"{text} ends in a comma without a name of labels",
            "write PATH:array,labels or leave the comma out",
        )
    return array.strip(), labels.strip()


def _existing(text: str, root: Path) -> Path | None:
    try:
        path = root / Path(text).expanduser()
        return path if text and path.exists() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _missing(body: str, root: Path) -> DataError:
    text = body.rpartition(":")[0] if re.search(r"[^/\\]:[\w,.-]*$", body) else body
    path = root / text
    try:
        siblings = sorted(item.name for item in path.parent.iterdir())
    except (OSError, ValueError):
        return DataError(
            f"no such file or folder: {text}", f"the folder {path.parent} is not there either"
        )
    close = difflib.get_close_matches(path.name, siblings, n=1)
    hint = (
        f"did you mean {path.parent / close[0]}?" if close else f"look into {path.parent.resolve()}"
    )
    return DataError(f"no such file or folder: {text}", hint)
