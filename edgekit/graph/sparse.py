"""A sparsely stored constant of a flatbuffer as the dense array it stands for.

The layout is a tree: one level for each axis and each axis of a block, in the order of
`traversal_order`. A level is dense (every index is there) or compressed (segments and indices, as
in CSR). Source: schema.fbs, `SparsityParameters`, after Kjolstad et al. 2017,
doi:10.1145/3133901.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.graph.flatbuffer import Malformed, Table
from edgekit.graph.schema import DIMENSION, INDEX_VECTOR, names

_VECTORS = {"Int32Vector": "<i4", "Uint16Vector": "<u2", "Uint8Vector": "u1"}
_THINNEST = 64
"""Dense bytes for each byte that is charged: what is sparser than that is no kernel."""


@dataclass(frozen=True)
class _Level:
    """One level: its size where it is dense, else segments and indices."""

    size: int
    segments: NDArray[Any] | None
    indices: NDArray[Any] | None


def densify(table: Table, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The dense constant.

    Args:
        table: The tensor's `SparsityParameters`.
        values: What the buffer holds, one-dimensional.
        shape: Of the tensor.

    Raises:
        Malformed: The layout contradicts itself, the values or the shape.
    """
    levels = [_level(each) for each in table.tables("dim_metadata", DIMENSION)]
    order, blocks = table.numbers("traversal_order"), table.numbers("block_map")
    rank = len(shape)
    if sorted(order) != list(range(rank + len(blocks))) or len(levels) != len(order):
        raise Malformed(f"{len(levels)} levels in order {list(order)} for shape {list(shape)}")
    if len(set(blocks)) < len(blocks) or any(not 0 <= axis < rank for axis in blocks):
        raise Malformed(f"blocks on the axes {list(blocks)} of {rank}")
    table.file.charge(math.prod(shape) * values.itemsize // _THINNEST)
    places = dict(zip(order, _places(table, levels), strict=True))
    size = {axis: levels[order.index(rank + at)].size for at, axis in enumerate(blocks)}
    target = []
    for axis, length in enumerate(shape):
        place = places[axis] * size.get(axis, 1)
        if axis in size:
            place = place + places[rank + blocks.index(axis)]
        if place.size != values.size or (place.size and place.max() >= length):
            raise Malformed(f"{values.size} values, indices beyond {list(shape)} or too few")
        target.append(place)
    dense = np.zeros(shape, values.dtype)
    dense[tuple(target)] = values
    dense.flags.writeable = False
    return dense


def _places(table: Table, levels: list[_Level]) -> list[NDArray[Any]]:
    """Of each stored value its index on every level."""
    places: list[NDArray[Any]] = []
    nodes = 1
    for level in levels:
        counts = np.full(nodes, level.size) if level.segments is None else _counts(level, nodes)
        table.file.charge(nodes + int(level.size) * nodes)
        places = [np.repeat(place, counts) for place in places]
        inside = level.indices
        if inside is None:
            inside = np.tile(np.arange(level.size), nodes)
        places.append(np.asarray(inside, np.int64))
        nodes = places[-1].size
    return places


def _counts(level: _Level, nodes: int) -> NDArray[Any]:
    """How many children each node of the level above has."""
    assert level.segments is not None
    assert level.indices is not None
    segments = level.segments.astype(np.int64)
    counts = np.diff(segments)
    if segments.size != nodes + 1 or segments[0] or (counts < 0).any():
        raise Malformed(f"{segments.size} segments for {nodes} rows")
    if segments[-1] != level.indices.size or (level.indices < 0).any():
        raise Malformed(f"{level.indices.size} indices, the segments say {segments[-1]}")
    return counts


def _level(table: Table) -> _Level:
    kind = names("DimensionType").get(table.integer("format", "b"))
    if kind == "DENSE":
        size = table.integer("dense_size", "i")
        if size < 0:
            raise Malformed(f"a level of {size}")
        return _Level(size, None, None)
    segments, indices = (_vector(table, name) for name in ("array_segments", "array_indices"))
    if kind != "SPARSE_CSR" or segments is None or indices is None:
        raise Malformed("a level without indices")
    return _Level(0, segments, indices)


def _vector(table: Table, name: str) -> NDArray[Any] | None:
    kind = names("SparseIndexVector").get(table.integer(f"{name}_type", "B"), "")
    content = table.table(name, INDEX_VECTOR)
    if content is None or kind not in _VECTORS:
        return None
    return content.vector("values", _VECTORS[kind])
