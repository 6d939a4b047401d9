"""Networks to shrink, and what is asked of the result."""

from __future__ import annotations

from typing import Any

import lift_cases
import numpy as np
from lift_cases import Case

from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.importers.prove import highest_index, seeded_rows
from edgekit.runtimes.litert import LiteRT
from edgekit.structure.dependencies import Dependencies
from edgekit.structure.groups import groups
from edgekit.structure.shrink import shrink
from edgekit.structure.silence import silence
from edgekit.structure.units import Mask


def inside(case: Case) -> Case:
    """The case between layers that may shrink and layers that read it."""

    def build(layers: Any, *inputs: Any) -> Any:
        given = [_first(layers, x, shape) for x, shape in zip(inputs, case.shapes, strict=True)]
        found = case.build(layers, *given)
        outputs = found if isinstance(found, list | tuple) else [found]
        return [layers.Dense(3)(layers.Flatten()(output)) for output in outputs]

    return Case(build, case.shapes)


def _first(layers: Any, x: Any, shape: tuple[int, ...]) -> Any:
    width = shape[-1]
    return layers.Conv2D(width, 3, padding="same")(x) if len(shape) == 3 else layers.Dense(width)(x)


def converted(case: Case, keras: Any) -> bytes:
    """The flatbuffer of a case, every weight random."""
    return lift_cases.tflite(case, keras)


def some(known: Dependencies, seed: int) -> Mask:
    """Units that stay: at random, in every group at least one."""
    random, keep = np.random.default_rng(seed), np.ones(known.count, bool)
    for group in groups(known):
        if not group.why and len(group.units) > 1:
            count = random.integers(1, len(group.units))
            keep[random.permutation(group.units)[:count]] = False
    return keep


def outputs(tflite: bytes) -> list[list[np.ndarray]]:
    """Of a few seeded rows."""
    with LiteRT(tflite) as runtime:
        rows = seeded_rows(runtime.inputs, 3, 2, highest_index(read(tflite)))
        return [list(runtime.run(row)) for row in rows]


def check(tflite: bytes, known: Dependencies, keep: Mask) -> Graph:
    """The small network computes what the large one does when nobody hears the removed units."""
    small = shrink(tflite, known, keep)
    wanted, found = outputs(silence(tflite, known, keep)), outputs(small)
    for left, right in zip(wanted, found, strict=True):
        for one, other in zip(left, right, strict=True):
            scale = max(float(np.abs(one).max()), 1.0)
            np.testing.assert_allclose(other, one, atol=1e-5 * scale, rtol=0)
    graph = read(small)
    for index, places in known.places.items():
        assert graph.tensors[index].shape[places.axis] == keep[places.units].sum()
    return graph
