"""What can be changed about one layer alone: a base for `prune`, `quantize`, `remove` and so on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from edgekit.bridge.lifted import Lifted, LiftedLayer
from edgekit.graph.count import layer_macs
from edgekit.graph.graph import Graph
from edgekit.sensitivities.result import Kind

Kernels = Mapping[int, NDArray[Any]]
"""Kernels by tensor index, in the flatbuffer's layout."""


@dataclass(frozen=True, eq=False)
class Change:
    """One layer brought to one level.

    Attributes:
        level: As `Point.level`.
        kernels: Makes the kernels that differ from the original's.
        rounded: Tensor index of the activation that is rounded, with all that share its scale.
        parameters: See `Point`.
        macs: See `Point`.
        bits: See `Point`.
    """

    level: float
    kernels: Callable[[], Kernels] = dict
    rounded: int | None = None
    parameters: int = 0
    macs: int = 0
    bits: int = 0


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer, and the changes that it is tried with; attributes as of `result.Curve`."""

    kind: Kind
    layers: tuple[str, ...]
    op: str
    parameters: int = 0
    macs: int = 0
    changes: tuple[Change, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel that layers with weights use.

    Attributes:
        index: Of its tensor.
        layers: Names of those that use it.
        kind: Of the first, e.g. `Conv2D`.
        op: Of the first, e.g. `CONV_2D`.
        values: In the flatbuffer's layout.
        macs: Of all operators that use it.
    """

    index: int
    layers: tuple[str, ...]
    kind: str
    op: str
    values: NDArray[Any]
    macs: int


def kernels(graph: Graph, lifted: Lifted) -> list[Kernel]:
    """The kernels of a model, in the order of execution."""
    users: dict[int, list[LiftedLayer]] = {}
    for layer in lifted.layers:
        users.setdefault(layer.kernel, []).append(layer)
    macs = layer_macs(graph)
    found = []
    for index, layers in users.items():
        values = graph.tensors[index].data
        assert values is not None, "layers are lifted where kernels are constants"
        names = tuple(layer.name for layer in layers)
        work = sum(macs[number] for layer in layers for number in layer.ops)
        found.append(Kernel(index, names, layers[0].kind, layers[0].op.name, values, work))
    return found


def of_kernel(kind: Kind, kernel: Kernel, changes: Iterable[Change]) -> Layer:
    """Changes of a kernel."""
    size = int(kernel.values.size)
    return Layer(kind, kernel.layers, kernel.op, size, kernel.macs, tuple(changes))
