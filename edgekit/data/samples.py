"""Raw rows of one or more sources, one after the other: streamed, never held, hashed row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.data.readers import open_source
from edgekit.data.readers.base import Reader, Row
from edgekit.data.spec import parse
from edgekit.errors import DataError, UsageError
from edgekit.model import TensorSpec
from edgekit.problem import Problem


@dataclass(frozen=True)
class Part:
    """Rows of one source.

    Attributes:
        reader: The source.
        declared: The rows that its [start:stop] means, before any selection.
        indices: The rows that are taken, ascending.
    """

    reader: Reader
    declared: range
    indices: range | NDArray[Any]

    def take(self, positions: NDArray[Any]) -> Part:
        """The rows at `positions` (ascending) among those taken."""
        if isinstance(self.indices, range):
            return replace(self, indices=positions + self.indices.start)
        return replace(self, indices=self.indices[positions])


@dataclass(frozen=True)
class Samples:
    """A stream of raw rows that can be run through again and again.

    Attributes:
        parts: The sources, in the order given.
    """

    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return sum(len(part.indices) for part in self.parts)

    def __iter__(self) -> Iterator[Row]:
        """Raw rows without batch axis, in the order of the sources.

        Raises:
            DataError: a row that cannot be read; names it.
        """
        for part in self.parts:
            yield from part.reader.rows(part.indices)

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of the first row; pictures of a folder may differ from it."""
        return self.parts[0].reader.row_shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the first row."""
        return self.parts[0].reader.dtype

    @property
    def sources(self) -> tuple[str, ...]:
        """The DATA options, as the user wrote them."""
        return tuple(part.reader.source for part in self.parts)

    @property
    def pictures(self) -> bool:
        """Whether all rows are decoded pictures."""
        return all(part.reader.pictures for part in self.parts)

    @property
    def affine(self) -> tuple[float, float] | None:
        """(scale, zero_point) that the first source stores beside its rows, or None."""
        return self.parts[0].reader.affine

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the sources want to say."""
        labelled = [part.reader.labels is not None for part in self.parts]
        problems = [problem for part in self.parts for problem in part.reader.problems]
        if any(labelled) and not all(labelled):
            source = self.sources[labelled.index(False)]
            problems.append(
                Problem(
                    "warning",
                    source,
                    "no labels here, so those of the other sources are not used",
                    "give labels in every source, or in none",
                )
            )
        return tuple(problems)

    @cached_property
    def labels(self) -> NDArray[Any] | None:
        """One a row: class numbers, or what to regress on; None unless every source has them."""
        found = [part.reader.labels for part in self.parts]
        chosen = [
            labels[np.asarray(part.indices, dtype=np.int64)]
            for labels, part in zip(found, self.parts, strict=True)
            if labels is not None
        ]
        return np.concatenate(chosen) if len(chosen) == len(self.parts) else None

    def where(self, position: int) -> str:
        """Names the row at `position` for people: file and row."""
        for part in self.parts:
            if position < len(part.indices):
                return part.reader.where(int(part.indices[position]))
            position -= len(part.indices)
        raise IndexError(position)

    def take(self, indices: Sequence[int] | NDArray[Any]) -> Samples:
        """The rows at `indices`, each once, in the order of the data."""
        wanted = np.unique(np.asarray(indices, dtype=np.int64))
        parts, start = [], 0
        for part in self.parts:
            low, high = np.searchsorted(wanted, [start, start + len(part.indices)])
            parts.append(part.take(wanted[low:high] - start))
            start += len(part.indices)
        return Samples(tuple(parts))

    def hashes(self) -> tuple[bytes, ...]:
        """SHA-256 of every row (its values), independent of file, format, type and label."""
        return self._hashes

    @cached_property
    def _hashes(self) -> tuple[bytes, ...]:
        return tuple(row_hash(row) for row in self)

    @property
    def sha256(self) -> str:
        """SHA-256 over the rows' hashes, in order."""
        return hashlib.sha256(b"".join(self.hashes())).hexdigest()


def open_samples(
    specs: Sequence[str], root: Path = Path(), inputs: tuple[TensorSpec, ...] = ()
) -> Samples:
    """Open DATA options, which follow one another. Only headers and labels are read.

    Args:
        specs: `PATH[:array[,labels]][[start:stop]]` or `python:module:function`.
        root: Folder that relative paths start from.
        inputs: Of the model, if known: decides which array of an `.npz` is meant, and is needed
            for models of several inputs.

    Raises:
        DataError: a source that is missing, empty, damaged, ambiguous, or unlike the first.
        UsageError: a spec that is written wrongly.
    """
    if not specs:
        raise UsageError(
            "no data are given", "write for example --calibration images/ or data.npz:x[:100]"
        )
    parts = []
    for text in specs:
        spec = parse(text, root)
        reader = open_source(spec, inputs)
        rows = spec.rows(reader.length)
        if spec.stop is not None and spec.stop > reader.length:
            reader = _short(reader, spec.stop)
        parts.append(Part(reader, rows, rows))
    for part in parts[1:]:
        _alike(parts[0].reader, part.reader)
    return Samples(tuple(parts))


def row_hash(row: Row) -> bytes:
    """SHA-256 (32 bytes) of a row's values, whatever type, byte order and axes they are stored in.

    The same picture as uint8 [28, 28] and as float32 [28, 28, 1] is one row to a model.
    """
    digest = hashlib.sha256()
    arrays = sorted(row.items()) if isinstance(row, dict) else [("", row)]
    for name, array in arrays:
        value = _canonical(array)
        digest.update(f"{name}|{value.dtype.name}|{value.size}|".encode())
        digest.update(value.data)
    return digest.digest()


def _canonical(array: NDArray[Any]) -> NDArray[Any]:
    """`array` as the smaller of float32 and float64 that holds every value, else as it is."""
    for dtype in ("float32", "float64"):
        with np.errstate(over="ignore", invalid="ignore"):
            value = array.astype(dtype)
            exact = np.array_equal(value.astype(array.dtype), array)
        if exact:
            return np.ascontiguousarray(value + 0)  # -0 and 0 are one value
    return np.ascontiguousarray(array)


def _short(reader: Reader, stop: int) -> Reader:
    note = Problem(
        "note",
        reader.source,
        f"it has {reader.length} rows, fewer than the {stop} asked for",
        f"write [:{reader.length}] or leave the end open",
    )
    return replace(reader, problems=(*reader.problems, note))


def _alike(one: Reader, other: Reader) -> None:
    if one.row_shape != other.row_shape and not (one.pictures and other.pictures):
        raise DataError(
            f"rows of {other.source} have shape {other.row_shape}, those of {one.source} "
            f"{one.row_shape}",
            "give sources of one shape",
        )
    if (one.dtype.kind == "f") != (other.dtype.kind == "f"):
        raise DataError(
            f"rows of {other.source} are {other.dtype}, those of {one.source} are {one.dtype}",
            "one preprocessing applies to all sources: store them as one type",
        )
