"""Units that the same layers make, and what a network costs with some of its units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.bridge.names import layer_names
from edgekit.bridge.weights import KINDS
from edgekit.graph import count
from edgekit.graph.count import layer_macs
from edgekit.structure.dependencies import Dependencies
from edgekit.structure.units import Array, Mask

_WIDTHS = {False: 4, True: 1}
"""Bytes of an element in int8: of a bias, of a kernel."""


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
    """What a network costs by the units that it keeps: all of it, with what cannot shrink."""

    def __init__(self, known: Dependencies) -> None:
        graph = known.graph
        counts = layer_macs(graph)
        self._macs = [
            (counts[op.index], known.places.get(op.outputs[0]), self._read(known, op.index))
            for op in graph.ops
            if op.name in KINDS and counts[op.index]
        ]
        self._other_macs = count.macs(graph) - sum(macs for macs, *_ in self._macs)
        seen: dict[tuple[int, int], list[Array]] = defaultdict(list)
        for site in known.sites:
            seen[site.op, site.place].append(site.units)
        held = {graph.ops[op].inputs[place]: axes for (op, place), axes in seen.items()}
        self._held = [
            (graph.tensors[index].elements, _WIDTHS[len(graph.tensors[index].shape) > 1], axes)
            for index, axes in held.items()
        ]
        self._other = count.parameters(graph) - sum(elements for elements, *_ in self._held)

    @staticmethod
    def _read(known: Dependencies, op: int) -> Array | None:
        return next((s.units for s in known.made("columns") if s.op == op), None)

    def macs(self, keep: Mask) -> float:
        """Multiply-accumulates; those of operators without weights as if they stayed."""
        total = float(self._other_macs)
        for macs, made, read in self._macs:
            rows = keep[made.units].mean() if made is not None else 1.0
            total += macs * rows * (keep[read].mean() if read is not None else 1.0)
        return total

    def parameters(self, keep: Mask) -> float:
        """Elements of weights and biases."""
        return self._other + sum(elements * _left(axes, keep) for elements, _, axes in self._held)

    def bytes(self, keep: Mask) -> float:
        """Of weights and biases as int8 has them: one byte each, a bias (of rank 1) four."""
        return self._other + sum(
            elements * width * _left(axes, keep) for elements, width, axes in self._held
        )


def _left(axes: Sequence[Array], keep: Mask) -> float:
    return float(np.prod([keep[units].mean() for units in axes]))
