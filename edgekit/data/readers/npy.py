"""`.npy`: rows along the first axis; in a folder, one row a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from edgekit.data.readers._stream import ArrayStream, open_stream
from edgekit.data.readers.base import Reader
from edgekit.data.spec import Spec
from edgekit.errors import DataError, UsageError
from edgekit.model import TensorSpec

SUFFIXES = (".npy",)


def open_file(spec: Spec, inputs: tuple[TensorSpec, ...]) -> Reader:
    """One array whose first axis counts the rows.

    Raises:
        DataError: damaged, a scalar, no numbers.
        UsageError: an array or labels are named: a `.npy` has no names.
    """
    if spec.array or spec.labels:
        raise UsageError(
            f"{spec.text}: a .npy file holds one array without a name",
            f"write {spec.path.name}, or put rows and labels into one .npz",
        )
    array = stream(spec.path)
    array.require_rows()
    return Reader(
        source=spec.text,
        identity=str(spec.path.resolve()),
        length=array.shape[0],
        row_shape=array.shape[1:],
        dtype=array.dtype.newbyteorder("="),
        rows=array.rows,
        where=lambda index: f"{spec.path.name} row {index}",
    )


def stream(path: Path) -> ArrayStream:
    """The array in a `.npy` file, unread."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", "check its permissions"
        ) from None
    return open_stream(str(path), partial(_binary, path), size)


def _binary(path: Path) -> BinaryIO:
    return path.open("rb")


def load(path: Path) -> NDArray[Any]:
    """A file of a folder: the whole array is one row."""
    array = stream(path)
    if array.shape:
        array.require_rows()
    return array.read()
