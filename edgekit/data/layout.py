"""Axes: channels first or last, a missing channel axis, flat rows, grey and colour pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.data.readers.images import with_channels


def fit(
    row: NDArray[Any], shape: tuple[int, ...], layout: str, free: bool, channels_first: bool
) -> tuple[NDArray[Any], list[str]] | None:
    """`row` brought to the axes of `shape` by the first change that does it, and what was done.

    Args:
        row: Without batch axis.
        shape: Of the model's input without batch axis, channels last.
        layout: Of the data: `auto`, `nhwc` or `nchw`.
        free: Whether height and width may differ, since they are resized later.
        channels_first: Whether rank-2 rows may be [C, T], the model's source being NCHW.

    Returns:
        The row and notes for the user, or None when nothing fits.
    """
    for value, note in _changes(row, shape, layout, channels_first):
        if _same(value.shape, shape, free):
            return value, [note] if note else []
    if row.ndim == len(shape) + 1 and 1 in (row.shape[0], row.shape[-1]):
        inner = np.squeeze(row, axis=0 if row.shape[0] == 1 else -1)
        found = fit(inner, shape, layout, free, channels_first)
        note = f"an axis of length 1 is dropped from rows of shape {row.shape}"
        return found and (found[0], [note, *found[1]])
    return None


def _changes(
    row: NDArray[Any], shape: tuple[int, ...], layout: str, channels_first: bool
) -> Iterator[tuple[NDArray[Any], str]]:
    rank, have = len(shape), row.shape
    movable = row.ndim == rank >= 2 and layout != "nhwc"
    if not (movable and layout == "nchw"):
        yield row, ""
    if movable and (rank >= 3 or channels_first or layout == "nchw"):
        moved = np.moveaxis(row, 0, -1)
        yield moved, f"rows of shape {have} are read channels first (NCHW): now {moved.shape}"
    if rank and shape[-1] == 1 and row.ndim == rank - 1:
        yield row[..., None], f"rows of shape {have} get the missing channel axis: {(*have, 1)}"
    if row.ndim == 1 < rank and row.size == math.prod(shape) and layout == "nchw":
        planes = row.reshape(shape[-1], *shape[:-1])
        yield np.moveaxis(planes, 0, -1), f"flat rows are read channels first, shaped to {shape}"
    elif row.ndim == 1 < rank and row.size == math.prod(shape):
        yield row.reshape(shape), f"flat rows are shaped to {shape}, the last axis fastest"


def _same(have: tuple[int, ...], want: tuple[int, ...], free: bool) -> bool:
    if free and len(have) == len(want) == 3:
        return have[2] == want[2]
    if free and len(have) == len(want) == 2:
        return True
    return have == want


def fit_pictures(row: NDArray[Any], shape: tuple[int, ...]) -> tuple[NDArray[Any], list[str]]:
    """A decoded picture with the channels that `shape` wants, and what was done."""
    if len(shape) == 3 and shape[2] in (1, 3):
        value = with_channels(row, shape[2])
    elif len(shape) == 2:
        value = with_channels(row, 1)[..., 0]
    else:
        return row, []
    if row.ndim == 3 and value.shape[-1] != row.shape[-1]:
        return value, ["colour pictures are turned to grey, as the model takes one channel"]
    if row.ndim == 2 and value.ndim == 3 and value.shape[-1] == 3:
        return value, ["grey pictures get three equal channels, as the model takes colour"]
    return value, []
