"""`.csv`: one row a line, numbers only, an optional header; `rows.csv:,class` names the labels.

The label column is named by the header, or numbered (from 0; -1 is the last) where there is none.
The separator is the comma, semicolon or tab that the first line has most of.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from edgekit.data.readers.base import Reader, check_labels
from edgekit.data.spec import Spec
from edgekit.errors import DataError, UsageError
from edgekit.model import TensorSpec

SUFFIXES = (".csv", ".tsv")
LONGEST = 1 << 24
"""Characters of a line; a row of 1000x1000 colour pixels has fewer."""


_DAMAGE = (UnicodeDecodeError, csv.Error, OSError)


@dataclass(frozen=True)
class _Table:
    path: Path
    separator: str
    header: tuple[str, ...]
    columns: int
    label: int | None

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """(line number, cells) of every line that holds data."""
        try:
            with self.path.open(newline="", encoding="utf-8-sig") as stream:
                reader = csv.reader(_short_lines(stream), delimiter=self.separator)
                skip = bool(self.header)
                for cells in reader:
                    if not any(cell.strip() for cell in cells):
                        continue
                    if skip:
                        skip = False
                        continue
                    if len(cells) != self.columns:
                        raise DataError(
                            f"{self.path} line {reader.line_num} has {len(cells)} cells, the "
                            f"first has {self.columns}",
                            "every line has the same number of cells",
                        )
                    yield reader.line_num, cells
        except _DAMAGE as error:
            raise _unreadable(self.path, error) from None

    def rows(self, indices: Iterable[int]) -> Iterator[NDArray[Any]]:
        """The rows of ascending `indices`, float32, without the label."""
        wanted = iter(indices)
        index = next(wanted, None)
        for position, (line, cells) in enumerate(self.lines()):
            if index is None:
                return
            if position == index:
                kept = [(i, cell) for i, cell in enumerate(cells) if i != self.label]
                yield np.array([self._number(line, i, c) for i, c in kept], dtype=np.float32)
                index = next(wanted, None)

    def _number(self, line: int, column: int, cell: str) -> float:
        name = f" ({self.header[column]})" if self.header else ""
        where = f"{self.path} line {line} column {column + 1}{name}"
        try:
            number = float(cell)
        except ValueError:
            label = self.header[column] if self.header else column
            raise DataError(
                f"{where}: {cell.strip()!r} is no number",
                f"write numbers with a decimal point; for a label, {self.path.name}:,{label}",
            ) from None
        if not math.isfinite(number) or abs(number) > np.finfo(np.float32).max:
            raise DataError(
                f"{where}: {cell.strip()} is not finite", "take the line out, or fill the gap"
            )
        return number


def open_file(spec: Spec, inputs: tuple[TensorSpec, ...]) -> Reader:
    """Lines as rows; counted once, then streamed.

    Raises:
        DataError: empty, ragged, no such label column; later: text, NaN (with the line).
        UsageError: an array is named.
    """
    if spec.array:
        raise UsageError(
            f"{spec.text}: a csv has no array {spec.array!r}",
            f"write {spec.path.name}, or {spec.path.name}:,{spec.array} if that is the label "
            "column",
        )
    table = _open(spec)
    count, texts = 0, []
    for _, cells in table.lines():
        count += 1
        if table.label is not None:
            texts.append(cells[table.label].strip())
    width = table.columns - (table.label is not None)
    if count and width < 1:
        raise DataError(
            f"{spec.path} has no column but the label", "give at least one column of numbers"
        )
    numbers = _line_numbers(count, bool(table.header))
    return Reader(
        source=spec.text,
        identity=str(spec.path.resolve()),
        length=count,
        row_shape=(width,),
        dtype=np.dtype(np.float32),
        rows=table.rows,
        where=lambda index: f"{spec.path.name} row {index}{numbers}",
        labels=None if table.label is None else _label_values(texts, table),
    )


def _line_numbers(count: int, header: bool) -> str:
    return f" of {count}{' (after the header)' if header else ''}"


def _open(spec: Spec) -> _Table:
    try:
        with spec.path.open(newline="", encoding="utf-8-sig") as stream:
            line = next((line for line in _short_lines(stream) if line.strip()), "")
        separator = max(",;\t", key=line.count)
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except _DAMAGE as error:
        raise _unreadable(spec.path, error) from None
    # A label may be text in every line: a header is a line without a single number, or the
    # numbered columns that pandas writes.
    numbered = len(cells) > 1 and cells == [str(i) for i in range(len(cells))]
    header = tuple(cells) if numbered or not any(_is_number(cell) for cell in cells) else ()
    return _Table(spec.path, separator, header, len(cells), _label_column(spec, header, len(cells)))


def _short_lines(stream: TextIO) -> Iterator[str]:
    """The lines, so that a file without line ends does not fill the memory.

    Raises:
        csv.Error: a line is longer than `LONGEST`.
    """
    while line := stream.readline(LONGEST):
        if len(line) == LONGEST:
            raise csv.Error(f"a line is longer than {LONGEST >> 20} MB: one row is one line")
        yield line


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read: {error}", "save it as comma-separated text in UTF-8")


def _label_column(spec: Spec, header: tuple[str, ...], columns: int) -> int | None:
    if not spec.labels:
        return None
    if spec.labels in header:
        return header.index(spec.labels)
    try:
        return range(columns)[int(spec.labels)]
    except (ValueError, IndexError):
        known = ", ".join(header) if header else f"0 to {columns - 1}, the file has no header"
        raise DataError(
            f"{spec.path} has no column {spec.labels!r}", f"the columns are {known}"
        ) from None


def _label_values(texts: list[str], table: _Table) -> NDArray[Any]:
    where = f"{table.path.name}, label column"
    if not all(_is_number(text) for text in texts):
        return check_labels(np.array(texts, dtype=np.str_), len(texts), where)
    numbers = np.array([float(text) for text in texts])
    whole = bool(np.isfinite(numbers).all() and (numbers == np.round(numbers)).all())
    return check_labels(numbers.astype(np.int64) if whole else numbers, len(texts), where)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
