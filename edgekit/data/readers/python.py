"""`python:module:function`, the last resort: the function's rows, asked for anew in every pass.

It returns an iterable of arrays or of (array, label) pairs, or of dicts of arrays for a model of
several inputs; or one array, or a dict of arrays, whose first axis counts the rows. A generator
function is called once a pass and must yield the same rows each time.
"""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.data.readers.base import Reader, Row, check_labels, first, numeric
from edgekit.data.spec import Spec
from edgekit.errors import DataError, EdgekitError
from edgekit.model import TensorSpec

SUFFIXES = ("python:",)


@dataclass(frozen=True)
class _Summary:
    length: int
    row: Row
    labels: NDArray[Any] | None


def open_file(spec: Spec, inputs: tuple[TensorSpec, ...]) -> Reader:
    """Import the module (the spec's folder is importable) and count what the function yields.

    Raises:
        DataError: no such module or function, it fails, or what it yields are no rows.
    """
    function = _function(spec)
    summary = _summary(spec, function)
    row = first(summary.row)
    return Reader(
        source=spec.text,
        identity=f"{spec.path.resolve()}/{spec.name}",
        length=summary.length,
        row_shape=row.shape,
        dtype=row.dtype,
        rows=partial(_rows, spec, function, summary.length),
        where=lambda index: f"{spec.name} row {index}",
        labels=summary.labels,
    )


def _function(spec: Spec) -> Callable[[], Any]:
    with _importable(spec.path), _user_code(spec):
        importlib.invalidate_caches()
        try:
            module = importlib.import_module(spec.module)
        except ModuleNotFoundError as error:
            if error.name and not f"{spec.module}.".startswith(f"{error.name}."):
                raise
            raise DataError(
                f"{spec.text}: no module named {error.name}",
                f"put {spec.module.replace('.', '/')}.py into {spec.path.resolve()}, or install it",
            ) from None
    function = getattr(module, spec.function, None)
    if not callable(function):
        raise DataError(
            f"{spec.text}: {module.__file__ or spec.module} has no function {spec.function}",
            f"define it: def {spec.function}(): yield row",
        )
    return function  # type: ignore[no-any-return]


def _summary(spec: Spec, function: Callable[[], Any]) -> _Summary:
    length, head, labels = 0, None, []
    for row, label in _pairs(spec, function):
        head = row if head is None else head
        length += 1
        if label is not None:
            labels.append(label)
    if head is None:
        raise DataError(
            f"{spec.text} yields no rows",
            f"let {spec.function}() yield arrays without a batch axis",
        )
    if not labels:
        return _Summary(length, head, None)
    return _Summary(length, head, check_labels(np.asarray(labels), length, spec.name))


def _rows(
    spec: Spec, function: Callable[[], Any], length: int, indices: Iterable[int]
) -> Iterator[Row]:
    wanted = iter(indices)
    index = next(wanted, None)
    for position, (row, _) in enumerate(_pairs(spec, function)):
        if index is None:
            return
        if position == index:
            yield row
            index = next(wanted, None)
    if index is not None:
        raise DataError(
            f"{spec.text} yields fewer rows than the {length} of its first pass",
            f"{spec.function}() must yield the same rows whenever it is called",
        )


def _pairs(spec: Spec, function: Callable[[], Any]) -> Iterator[tuple[Row, Any]]:
    with _user_code(spec):
        with _importable(spec.path):
            result = function()
        if isinstance(result, dict):
            arrays = {name: np.asarray(value) for name, value in result.items()}
            items = (
                dict(zip(arrays, values, strict=True))
                for values in zip(*arrays.values(), strict=True)
            )
            result = items if len(arrays) > 1 else next(iter(arrays.values()), ())
        iterator = iter(result)
    for position in itertools.count():
        with _user_code(spec):
            try:
                item = next(iterator)
            except StopIteration:
                return
            pair = _pair(spec, position, item)
        yield pair


def _pair(spec: Spec, position: int, item: Any) -> tuple[Row, Any]:
    label = None
    if isinstance(item, tuple):
        if len(item) != 2:
            raise DataError(
                f"{spec.text} row {position} is a tuple of {len(item)}",
                "yield array, (array, label), or a dict of arrays for several inputs",
            )
        item, label = item
    if isinstance(item, dict):
        return {str(name): _array(spec, position, value) for name, value in item.items()}, label
    return _array(spec, position, item), label


def _array(spec: Spec, position: int, value: Any) -> NDArray[Any]:
    array = np.asarray(value)
    if not numeric(array.dtype):
        raise DataError(
            f"{spec.text} row {position} is {type(value).__name__} ({array.dtype}), no array of "
            "numbers",
            "yield NumPy arrays without a batch axis",
        )
    return array


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    path = str(folder.resolve())
    sys.path.insert(0, path)
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(path)


@contextmanager
def _user_code(spec: Spec) -> Iterator[None]:
    try:
        # Standard output belongs to the command, which may be asked for JSON there.
        with redirect_stdout(sys.stderr):
            yield
    except EdgekitError:
        raise
    except (Exception, SystemExit) as error:
        raise DataError(
            f"{spec.text} failed: {type(error).__name__}: {error}",
            f"try it: python -c 'import {spec.module}; "
            f"print(next(iter({spec.module}.{spec.function}())))'",
        ) from error
