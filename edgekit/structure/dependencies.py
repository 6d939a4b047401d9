"""The dependency graph of a network: which channels can only leave it together.

Each operator of a flatbuffer, float or integer, says how the units of its inputs become those of
its outputs; a unit is all that leaves at once: rows of the kernels that make it, columns of those
that read it, and what goes along. The idea is DepGraph's (Fang et al. 2023, arXiv:2301.12900); here
units have numbers, and what an operator does to a tensor is done to the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from edgekit.graph.graph import Graph, Op
from edgekit.structure import moving_rules, plain_rules, weighted_rules
from edgekit.structure.analysis import Analysis, Site
from edgekit.structure.places import Places
from edgekit.structure.units import Mask

Rule = Callable[[Analysis, Op], None]
_RULES: Mapping[str, Rule] = {
    **moving_rules.RULES,
    **dict.fromkeys(plain_rules.UNARY, plain_rules.unary),
    **dict.fromkeys(plain_rules.BINARY, plain_rules.binary),
    **dict.fromkeys(plain_rules.OVER_PLACES, plain_rules.over_places),
    **dict.fromkeys(plain_rules.OVER_CHANNELS, plain_rules.over_channels),
    **dict.fromkeys(weighted_rules.COLUMNS, weighted_rules.matrix),
    **dict.fromkeys(weighted_rules.TABLES, weighted_rules.table),
    "DEPTHWISE_CONV_2D": weighted_rules.depthwise,
    "BATCH_MATMUL": plain_rules.matmul,
}


@dataclass(frozen=True, eq=False)
class Dependencies:
    """The units of a graph.

    Attributes:
        graph: Their graph.
        count: Of units, which are numbered from 0.
        places: Activation's tensor index -> where its units lie.
        sites: Axes of constants that shrink with them.
        frozen: Unit -> why it must stay.
    """

    graph: Graph
    count: int
    places: Mapping[int, Places]
    sites: tuple[Site, ...]
    frozen: Mapping[int, str]

    def made(self, role: str) -> tuple[Site, ...]:
        """The sites of a role."""
        return tuple(site for site in self.sites if site.role == role)

    @property
    def free(self) -> Mask:
        """The units that may leave, bool [units]: those that a layer makes and nothing holds."""
        free = np.zeros(self.count, bool)
        for site in self.made("rows"):
            free[site.units] = True
        free[list(self.frozen)] = False
        return free


def dependencies(graph: Graph) -> Dependencies:
    """Follow a graph from its inputs to its outputs."""
    known = Analysis(graph)
    for op in graph.ops:
        rule = None if op.custom else _RULES.get(op.name)
        if rule is None:
            known.refuse(op)
        else:
            rule(known, op)
    for index in graph.outputs:
        if index in known.places:
            name = graph.tensors[index].name
            known.units.freeze(known.places[index].units, f"'{name}' is an output of the model")
    units = known.units.numbered()
    return Dependencies(
        graph,
        units.count,
        {i: Places(p.axis, units.number[p.units]) for i, p in known.places.items()},
        tuple(replace(site, units=units.number[site.units]) for site in known.sites),
        units.frozen,
    )
