"""Each activation alone rounded to int8 on the range that it has on the calibration rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edgekit.bridge.names import layer_names
from edgekit.graph.graph import Graph
from edgekit.sensitivities.changes import Change, Layer

BITS = 8


def layers(graph: Graph, scales: Mapping[int, int]) -> Iterator[Layer]:
    """Every scale of the int8 file at 8 bits.

    Args:
        graph: Of the model.
        scales: Tensor index of an activation -> of the one whose scale it has.
    """
    names = layer_names(graph)
    makers = {index: op for op in graph.ops for index in op.outputs}
    for source in dict.fromkeys(scales.values()):
        alike = [source, *(i for i, own in scales.items() if own == source and i != source)]
        called = [names[makers[i].index] if i in makers else graph.tensors[i].name for i in alike]
        op = makers[source].name if source in makers else "INPUT"
        change = Change(BITS, rounded=source)
        yield Layer("activations", tuple(dict.fromkeys(called)), op, changes=(change,))
