"""Units that the same layers make, and what a network costs with some of its units."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from edgekit.bridge.names import layer_names
from edgekit.bridge.weights import KINDS
from edgekit.graph.count import layer_macs
from edgekit.structure.dependencies import Dependencies
from edgekit.structure.units import Array, Mask


@dataclass(frozen=True, eq=False)
class Group:
    """Units that the same layers make.

    Attributes:
        layers: Their names, in the order of execution.
        units: Sorted.
        why: Why they must stay, "" where they may leave.
    """

    layers: tuple[str, ...]
    units: Array
    why: str = ""


def groups(known: Dependencies) -> tuple[Group, ...]:
    """Every group of a graph; units that must stay are in groups of their own."""
    names = layer_names(known.graph)
    makers: dict[int, list[str]] = defaultdict(list)
    for site in known.made("rows"):
        for unit in np.unique(site.units):
            makers[int(unit)].append(names[site.op])
    found: dict[tuple[tuple[str, ...], str], list[int]] = defaultdict(list)
    for unit, layers in makers.items():
        found[tuple(dict.fromkeys(layers)), known.frozen.get(unit, "")].append(unit)
    return tuple(Group(key[0], np.sort(units), key[1]) for key, units in found.items())


class Cost:
    """Multiply-accumulates and parameters of a graph by the units that it keeps.

    Convolution, depthwise, dense and the other operators with weights are counted.
    """

    def __init__(self, known: Dependencies) -> None:
        self._count = known.count
        macs = layer_macs(known.graph)
        self._macs = [
            (macs[op.index], known.places.get(op.outputs[0]), self._read(known, op.index))
            for op in known.graph.ops
            if op.name in KINDS and macs[op.index]
        ]
        seen: dict[tuple[int, int], list[Array]] = defaultdict(list)
        for site in known.sites:
            seen[site.op, site.place].append(site.units)
        self._held: dict[int, tuple[int, list[Array]]] = {}
        for (op, place), axes in seen.items():
            index = known.graph.ops[op].inputs[place]
            self._held[index] = (known.graph.tensors[index].elements, axes)

    @staticmethod
    def _read(known: Dependencies, op: int) -> Array | None:
        return next((s.units for s in known.made("columns") if s.op == op), None)

    def macs(self, keep: Mask) -> float:
        """Multiply-accumulates of the layers with weights."""
        total = 0.0
        for macs, made, read in self._macs:
            rows = keep[made.units].mean() if made is not None else 1.0
            total += macs * rows * (keep[read].mean() if read is not None else 1.0)
        return total

    def parameters(self, keep: Mask) -> float:
        """Elements of the constants that can shrink."""
        return sum(
            size * float(np.prod([keep[units].mean() for units in axes]))
            for size, axes in self._held.values()
        )
