"""`.npz`, compressed or not: rows are decompressed as they are read, never the whole array."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from edgekit.data.readers._stream import ArrayStream, damage, open_stream
from edgekit.data.readers.base import Reader, check_labels, numeric
from edgekit.data.spec import Spec
from edgekit.errors import DataError
from edgekit.model import TensorSpec

SUFFIXES = (".npz",)
_USUAL = ("x", "images", "data")
_LABELS = re.compile(r"(y|labels?|targets?|class(es)?)(_.*)?$", re.IGNORECASE)


def open_file(spec: Spec, inputs: tuple[TensorSpec, ...]) -> Reader:
    """The array that was named or is the only one that fits; labels only when they are named.

    Raises:
        DataError: damaged, no such array, or several that fit.
    """
    arrays = _arrays(spec.path)
    if len(inputs) > 1 and not spec.array:
        return _several(spec, arrays, inputs)
    array = arrays[choose(spec, arrays, inputs)]
    array.require_rows()
    return Reader(
        source=spec.text,
        identity=f"{spec.path.resolve()}:{array.where.rpartition(':')[2]}",
        length=array.shape[0],
        row_shape=array.shape[1:],
        dtype=array.dtype.newbyteorder("="),
        rows=array.rows,
        where=lambda index: f"{array.where} row {index}",
        labels=_labels(spec, arrays, array.shape[0]),
        affine=_affine(arrays),
    )


def choose(spec: Spec, arrays: dict[str, ArrayStream], inputs: tuple[TensorSpec, ...]) -> str:
    """Name of the array to take rows from; what looks like labels is never taken unasked.

    Raises:
        DataError: none or several fit; lists the arrays and the spec to write.
    """
    if spec.array:
        if spec.array not in arrays:
            raise _listing(spec, arrays, f"{spec.path.name} has no array {spec.array!r}")
        return spec.array
    if len(arrays) == 1:
        return next(iter(arrays))
    usual = [name for name in _USUAL if name in arrays]
    if len(usual) == 1:
        return usual[0]
    pool = usual or [n for n, a in arrays.items() if numeric(a.dtype) and not _LABELS.match(n)]
    shape = inputs[0].shape[1:] if len(inputs) == 1 else None
    fitting = [name for name in pool if _fits(arrays[name].shape, shape)]
    if len(fitting) > 1 and shape is not None:
        same = [n for n in fitting if np.prod(arrays[n].shape[1:]) == np.prod(shape)]
        fitting = same or fitting
    if len(fitting) != 1:
        count = f"{len(fitting)} arrays could" if fitting else "no array can"
        raise _listing(spec, arrays, f"{spec.path.name}: {count} be the rows, and none was named")
    return fitting[0]


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...] | None) -> bool:
    if wanted is None:
        return len(shape) >= 2
    return len(shape) - 1 in (len(wanted), len(wanted) - 1) and len(shape) > 0


def _several(spec: Spec, arrays: dict[str, ArrayStream], inputs: tuple[TensorSpec, ...]) -> Reader:
    names = [item.name for item in inputs]
    missing = [name for name in names if name not in arrays]
    if missing:
        raise _listing(
            spec,
            arrays,
            f"{spec.path.name} has no array for the input {missing[0]!r} of a model of "
            f"{len(names)} inputs",
            "save one array a model input: np.savez(path, "
            f"**{{{', '.join(f'{n!r}: ...' for n in names)}}})",
        )
    chosen = {name: arrays[name] for name in names}
    for array in chosen.values():
        array.require_rows()
    lengths = {name: array.shape[0] for name, array in chosen.items()}
    if len(set(lengths.values())) > 1:
        raise _listing(
            spec,
            chosen,
            f"{spec.path.name}: the arrays of the inputs differ in their count of rows",
            "save as many rows of every input",
        )
    head = chosen[names[0]]
    return Reader(
        source=spec.text,
        identity=str(spec.path.resolve()),
        length=head.shape[0],
        row_shape=head.shape[1:],
        dtype=head.dtype.newbyteorder("="),
        rows=partial(_together, chosen),
        where=lambda index: f"{spec.path.name} row {index}",
        labels=_labels(spec, arrays, head.shape[0]),
    )


def _together(
    chosen: dict[str, ArrayStream], indices: Iterable[int]
) -> Iterator[dict[str, NDArray[Any]]]:
    wanted = indices if isinstance(indices, range | np.ndarray) else list(indices)
    streams = [array.rows(wanted) for array in chosen.values()]
    for rows in zip(*streams, strict=True):
        yield dict(zip(chosen, rows, strict=True))


def _arrays(path: Path) -> dict[str, ArrayStream]:
    with damage(str(path)), zipfile.ZipFile(path) as archive:
        members = [item for item in archive.infolist() if item.filename.endswith(".npy")]
    if not members:
        raise DataError(f"{path} holds no arrays", "write it with np.savez(path, x=rows)")
    arrays = {}
    for item in members:
        name = item.filename[: -len(".npy")]
        opener = partial(_member, path, item.filename)
        arrays[name] = open_stream(f"{path.name}:{name}", opener, item.file_size)
    return arrays


def _member(path: Path, name: str) -> BinaryIO:
    with zipfile.ZipFile(path) as archive:
        # The member keeps the file open after its archive is closed.
        return cast(BinaryIO, archive.open(name))


def _labels(spec: Spec, arrays: dict[str, ArrayStream], length: int) -> NDArray[Any] | None:
    if not spec.labels:
        return None
    if spec.labels not in arrays:
        raise _listing(
            spec, arrays, f"{spec.path.name} has no array {spec.labels!r} for the labels"
        )
    array = arrays[spec.labels]
    if not array.shape:
        raise _listing(spec, arrays, f"{array.where} is a single value, not one label a row")
    return check_labels(array.read(), length, array.where)


def _affine(arrays: dict[str, ArrayStream]) -> tuple[float, float] | None:
    scalars = [arrays.get(name) for name in ("scale", "zero_point")]
    if any(a is None or a.shape or not numeric(a.dtype) for a in scalars):
        return None
    scale, zero_point = (float(str(a.read())) for a in scalars if a is not None)
    return scale, zero_point


def _listing(spec: Spec, arrays: dict[str, ArrayStream], message: str, hint: str = "") -> DataError:
    listing = "; ".join(array.describe() for array in arrays.values())
    best = max(
        arrays.values(),
        key=lambda a: (numeric(a.dtype), len(a.shape), not _LABELS.match(a.describe())),
    )
    name = best.describe().split(" ")[0]
    return DataError(
        f"{message} ({listing})",
        hint or f"name the array: {spec.path}:{name}, with labels {spec.path}:{name},LABELS",
    )
