"""What a search begins with: the mild end; for samplers that model, points spread over the space.

A Latin hypercube (McKay, Beckman and Conover 1979, doi:10.2307/1268522): so few points meet each
part of each dimension once, which random ones do not.
"""

from __future__ import annotations

import random
from typing import Any

from edgekit.search.samplers import MODELLING, STARTUP
from edgekit.search.space import Space


def starts(space: Space, sampler: str, seed: int) -> tuple[dict[str, Any], ...]:
    """The first points that `sampler` is given; the mildest is the first of all."""
    spread = hypercube(space, seed, STARTUP - 1) if sampler in MODELLING else []
    return space.mildest, *spread


def hypercube(space: Space, seed: int, count: int) -> list[dict[str, Any]]:
    """`count` points, one in each of as many parts of each dimension; small spaces repeat some."""
    draw = random.Random(f"{seed} starts")
    columns = {}
    for each in space.dimensions:
        middles = [(2 * part + 1) * len(each.values) // (2 * count) for part in range(count)]
        draw.shuffle(middles)
        columns[each.name] = [each.values[place] for place in middles]
    points = ({name: values[at] for name, values in columns.items()} for at in range(count))
    return [space.settle(point) for point in points]
