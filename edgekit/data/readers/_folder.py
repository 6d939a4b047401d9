"""Folders of pictures, wav or npy files: one file a row; labels from labels.csv or sub-folders."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.data.readers.base import Reader, check_labels
from edgekit.data.spec import Spec
from edgekit.errors import DataError, UsageError
from edgekit.problem import Problem

LABELS = "labels.csv"
_HEADERS = ("file", "filename", "path", "name")
_DIGITS = 9
Load = Callable[[Path], NDArray[Any]]


def open_folder(spec: Spec, kinds: dict[str, ModuleType]) -> Reader:
    """A folder, sub-folders included; rows are sorted by path. `kinds`: reader modules by suffix.

    Raises:
        DataError: no readable files, several kinds, labels that do not fit.
    """
    if spec.array:
        raise UsageError(
            f"{spec.text}: a folder has no array {spec.array!r}",
            f"write {spec.path.name} or {spec.path.name}:,labels",
        )
    files = sorted(
        p for p in spec.path.rglob("*") if p.suffix.lower() in kinds and _visible(p, spec.path)
    )
    found = Counter(kinds[p.suffix.lower()].__name__.rpartition(".")[2] for p in files)
    if len(found) != 1:
        what = (
            " and ".join(f"{n} {kind}" for kind, n in sorted(found.items()))
            or "no files that edgekit reads"
        )
        raise DataError(
            f"{spec.path} holds {what}",
            f"give a folder of files of one kind ({', '.join(sorted(kinds))})",
        )
    module = kinds[files[0].suffix.lower()]
    labels, problems = _labels(spec.path, files)
    if spec.labels and labels is None:
        raise DataError(
            f"{spec.text} asks for labels and {spec.path.name} has none",
            f"add {LABELS} (file,label) or a sub-folder for each class",
        )
    return _reader(spec, files, module, labels, problems)


def open_item(spec: Spec, kinds: dict[str, ModuleType]) -> Reader:
    """A single file as a set of one row."""
    if spec.array or spec.labels:
        raise UsageError(
            f"{spec.text}: the file is one row and has no arrays", f"write {spec.path.name}"
        )
    return _reader(spec, [spec.path], kinds[spec.path.suffix.lower()], None, [])


def _reader(
    spec: Spec,
    files: list[Path],
    module: ModuleType,
    labels: NDArray[Any] | None,
    problems: list[Problem],
) -> Reader:
    load: Load = module.load
    pictures = bool(getattr(module, "PICTURES", False))
    row = load(files[0])
    shape = None if pictures else row.shape
    return Reader(
        source=spec.text,
        identity=str(spec.path.resolve()),
        length=len(files),
        row_shape=row.shape,
        dtype=row.dtype,
        rows=partial(_rows, files, load, shape),
        where=lambda index: _shown(files[index], spec.path),
        labels=labels,
        pictures=pictures,
        problems=tuple(problems),
    )


def _rows(
    files: list[Path], load: Load, shape: tuple[int, ...] | None, indices: Iterable[int]
) -> Iterator[NDArray[Any]]:
    for index in indices:
        row = load(files[index])
        if shape is not None and row.shape != shape:
            raise DataError(
                f"{files[index]} has shape {row.shape} and {files[0].name} has {shape}",
                "cut or pad the files to one length",
            )
        yield row


def _visible(path: Path, folder: Path) -> bool:
    return path.is_file() and not any(
        part.startswith(".") for part in path.relative_to(folder).parts
    )


def _labels(folder: Path, files: list[Path]) -> tuple[NDArray[Any] | None, list[Problem]]:
    if (folder / LABELS).is_file():
        return _from_csv(folder / LABELS, folder, files)
    parents = [path.relative_to(folder).parts[:-1] for path in files]
    if any(len(parts) != 1 for parts in parents) or len(set(parents)) < 2:
        return None, []
    names = [parts[0] for parts in parents]
    labels, note = _classes(names, _shown(folder, folder))
    return labels, [note]


def _from_csv(path: Path, folder: Path, files: list[Path]) -> tuple[NDArray[Any], list[Problem]]:
    known = {file.relative_to(folder).as_posix() for file in files}
    table: dict[str, str] = {}
    for line, name, label in _label_lines(path):
        if name not in known:
            raise DataError(
                f"{path} line {line} names {name}, which is not in the folder",
                "write the file's path below the folder, or take the line out",
            )
        if table.setdefault(name, label) != label:
            raise DataError(
                f"{path} line {line} labels {name} as {label}, a line before as {table[name]}",
                "keep one of them",
            )
    missing = sorted(known - table.keys())
    if missing:
        raise DataError(
            f"{path} has no label for {missing[0]}"
            + (f" and {len(missing) - 1} more" if missing[1:] else ""),
            "add the lines file,label or move the files away",
        )
    texts = [table[file.relative_to(folder).as_posix()] for file in files]
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        labels, note = _classes(texts, _shown(path, folder))
        return labels, [note]
    if np.isfinite(numbers).all() and (numbers == np.round(numbers)).all():
        numbers = numbers.astype(np.int64)
    return check_labels(numbers, len(files), str(path)), []


def _label_lines(path: Path) -> Iterator[tuple[int, str, str]]:
    """(line number, file, label) of each line but a header."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream)
            for cells in reader:
                head = cells[0].strip() if cells else ""
                if not cells or (reader.line_num == 1 and head.lower() in _HEADERS):
                    continue
                if len(cells) != 2:
                    raise DataError(
                        f"{path} line {reader.line_num} has {len(cells)} cells",
                        "every line is file,label",
                    )
                yield reader.line_num, head.removeprefix("./"), cells[1].strip()
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise DataError(
            f"{path} cannot be read: {error}", "save it as file,label lines in UTF-8"
        ) from None


def _classes(names: list[str], where: str) -> tuple[NDArray[Any], Problem]:
    """Class numbers: the names themselves where all are numbers, else their places when sorted."""
    hint = (
        f"if the model numbers its classes otherwise, write {LABELS} (file,label) with its numbers"
    )
    if all(name.isdecimal() and len(name) <= _DIGITS for name in names):
        # Sorted as text, 10 would come before 2.
        message = "the names of the sub-folders are numbers: they are the class numbers"
        return np.array(names, dtype=np.int64), Problem("note", where, message, hint)
    classes = sorted(set(names))
    listing = ", ".join(f"{index} {name}" for index, name in enumerate(classes))
    message = f"class numbers are those of the sorted names: {listing}"
    numbers = {name: index for index, name in enumerate(classes)}
    labels = np.array([numbers[name] for name in names], dtype=np.int64)
    return labels, Problem("note", where, message, hint)


def _shown(path: Path, source: Path) -> str:
    """`path` from the source's name on: manifests that quote it are the same on every machine."""
    return str(path.relative_to(source.parent))
