"""What every kind of data becomes: a `Reader`, which streams rows and keeps none.

To add a kind, put a file here that has `SUFFIXES` (lower case, with the dot) and one of
    open_file(spec: Spec, inputs: tuple[TensorSpec, ...]) -> Reader     a file holds many rows
    load(path: Path) -> NDArray[Any]                                      a file is one row
It is found by being there; files of the second sort may also lie in a folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError
from edgekit.problem import Problem

Row = NDArray[Any] | dict[str, NDArray[Any]]
"""A raw row without batch axis; of a model of several inputs, one array a name."""


@dataclass(frozen=True)
class Reader:
    """Rows of one source.

    Attributes:
        source: As the user wrote it.
        identity: Equal for two readers of the same rows, whatever the spec (for overlaps).
        length: Count of all rows, before [start:stop].
        row_shape: Of the first row; of a dict, of its first array.
        dtype: Of the first row.
        rows: Streams the rows of ascending indices in one pass.
        where: Names a row in messages.
        labels: One a row, or None.
        pictures: Whether rows are decoded pictures, whose channels may be converted.
        affine: (scale, zero_point) that lie next to the rows, or None.
        problems: What the reader wants to say.
    """

    source: str
    identity: str
    length: int
    row_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rows: Callable[[Iterable[int]], Iterator[Row]]
    where: Callable[[int], str]
    labels: NDArray[Any] | None = None
    pictures: bool = False
    affine: tuple[float, float] | None = None
    problems: tuple[Problem, ...] = ()


def numeric(dtype: np.dtype[Any]) -> bool:
    """Whether arrays of `dtype` can be rows: booleans, integers, floats."""
    return dtype.kind in "biuf"


def first(row: Row) -> NDArray[Any]:
    """The row itself, or the first array of a row of several."""
    return next(iter(row.values())) if isinstance(row, dict) else row


def check_labels(labels: NDArray[Any], length: int, where: str) -> NDArray[Any]:
    """Labels as numbers: one-hot rows and text become class indices.

    Raises:
        DataError: another count than rows, NaN, or a type that is no label.
    """
    if len(labels) != length:
        raise DataError(
            f"{where}: {len(labels)} labels for {length} rows",
            "labels are one a row, in the order of the rows",
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind in "US":
        return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.int64)
    if not numeric(labels.dtype) or (labels.dtype.kind == "f" and not np.isfinite(labels).all()):
        raise DataError(
            f"{where}: labels of type {labels.dtype} that are no finite numbers",
            "give class numbers from 0, or numbers to regress on",
        )
    one_hot = (
        labels.ndim == 2 and ((labels == 0) | (labels == 1)).all() and (labels.sum(1) == 1).all()
    )
    if one_hot:
        return np.asarray(labels.argmax(axis=1), dtype=np.int64)
    return labels.astype(np.int64) if labels.dtype.kind == "b" else labels
