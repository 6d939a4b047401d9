"""Where the units of a tensor lie: along one of its axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.structure.units import Array, Units

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Places:
    """The units of a tensor.

    Attributes:
        axis: That shrinks.
        units: [size of the axis].
    """

    axis: int
    units: Array


def reshaped(places: Places, before: Shape, after: Shape, units: Units) -> Places | None:
    """Where the units lie after a reshape, found by reshaping their numbers.

    Where an axis is split, as a dense output is into attention heads, the units that have one index
    along the outermost of its parts become one: whole heads leave.

    Returns:
        None where the tensor cannot shrink: all of it would be one unit.
    """
    sizes = [size if axis == places.axis else 1 for axis, size in enumerate(before)]
    grid = np.broadcast_to(units.find(places.units).reshape(sizes), before).reshape(after)
    if len(np.unique(grid)) < 2:
        return None
    rows = [np.moveaxis(grid, axis, 0).reshape(size, -1) for axis, size in enumerate(after)]
    for axis, row in enumerate(rows):
        if (row == row[:, :1]).all():
            return Places(axis, row[:, 0])
    return _tied(rows, units)


def _tied(rows: list[Array], units: Units) -> Places | None:
    """Units made one along the first axis that tells some of them apart."""
    for axis, row in enumerate(rows):
        if len(row) > 1 and not any(np.isin(row[0], other).any() for other in row[1:]):
            for one in row:
                units.tie(np.full(one.size - 1, one[0]), one[1:])
            return Places(axis, units.find(row[:, 0]))
    return None
