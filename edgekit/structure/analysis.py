"""What the rules of `dependencies` read and write while they follow a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgekit.bridge.names import layer_names
from edgekit.graph.graph import Graph, Op
from edgekit.structure.places import Places, Shape
from edgekit.structure.units import Array, Units

Role = Literal["rows", "columns", "along"]


@dataclass(frozen=True, eq=False)
class Site:
    """An axis of a constant that shrinks with units.

    Attributes:
        op: Index of the operator that reads the constant.
        place: Which input of it.
        axis: Of the constant.
        units: [size of the axis].
        role: `rows`: a kernel that makes the units. `columns`: a kernel that reads them.
            `along`: what goes with them, such as a bias, a depthwise kernel, slopes of a PReLU.
    """

    op: int
    place: int
    axis: int
    units: Array
    role: Role


class Analysis:
    """The state of one walk through a graph.

    Attributes:
        graph: That is followed.
        units: All there are so far.
        places: Tensor index -> its units, for activations that may shrink.
        sites: Constants that shrink with them.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.units = graph, Units()
        self.places: dict[int, Places] = {}
        self.sites: list[Site] = []
        self._names = layer_names(graph)
        self._kernels: dict[tuple[int, str], Array | None] = {}

    def shape(self, index: int) -> Shape:
        """Of a tensor."""
        return self.graph.tensors[index].shape

    def constant(self, index: int) -> Array | None:
        """The values of an integer constant, None where it is none."""
        data = self.graph.tensors[index].data if index >= 0 else None
        return None if data is None else np.asarray(data).astype(np.int64)

    def is_constant(self, index: int) -> bool:
        """Whether a tensor is a constant."""
        return self.graph.tensors[index].data is not None

    def real(self, index: int) -> bool:
        """Whether a tensor holds real numbers, as they are or quantized."""
        tensor = self.graph.tensors[index]
        return tensor.dtype.startswith("float") or tensor.quantization is not None

    def site(self, op: Op, place: int, axis: int, units: Array, role: Role) -> None:
        """Note that a constant shrinks."""
        self.sites.append(Site(op.index, place, axis, units, role))

    def operand(self, op: Op, place: int, axis: int) -> Array | None:
        """Units of an input along an axis; a constant gets them here; None: it cannot shrink."""
        index = op.inputs[place]
        if self.is_constant(index):
            units = self.units.fresh(self.shape(index)[axis])
            self.site(op, place, axis, units, "along")
            return units
        known = self.places.get(index)
        return known.units if known is not None and known.axis == axis else None

    def shared(self, kernel: int, role: Role, units: Array | None) -> Array | None:
        """The units of a kernel's axis, the same for all operators that read it.

        Args:
            kernel: Its tensor index.
            role: Which axis.
            units: That this operator would give it; None: the axis must stay.
        """
        key = kernel, role
        known = self._kernels.setdefault(key, units)
        if known is None and units is not None:
            self.units.freeze(units, "a layer that shares its weights cannot shrink")
        elif known is not None and units is None:
            self.units.freeze(known, "a layer that shares its weights cannot shrink")
        elif known is not None and units is not None:
            self.units.tie(known, units)
        return known if units is not None else None

    def refuse(self, op: Op, why: str = "") -> None:
        """The inputs of an operator must stay as they are, and its outputs."""
        reason = why or "keeps no channels apart that could be left out"
        for index in op.inputs:
            if index in self.places:
                self.freeze(self.places[index], op, reason)

    def freeze(self, places: Places, op: Op, why: str) -> None:
        """Units that must stay because of an operator."""
        self.units.freeze(places.units, f"{self._names[op.index]} ({op.name}) {why}")
