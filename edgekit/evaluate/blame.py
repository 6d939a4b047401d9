"""Which layers are to blame for what a built model lost: by their own fault, the worst first."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.bridge.names import layer_names
from edgekit.evaluate.layers import LOW_CHANNEL_DB, LOW_DB, Layer
from edgekit.graph.graph import Graph

_FALL = 1.0  # dB that an op must lose to be suspected


def at_fault(layers: Sequence[Layer], graph: Graph) -> tuple[Layer, ...]:
    """Layers that are bad by their own quantization or their weights'; inherited noise is no fault.

    Where the table finds none bad, those that lose most against their inputs.

    Args:
        layers: The table (`layer_table`).
        graph: Of the built model.
    """
    return _guilty(layers) or _losing(layers, graph)


def suspects(layers: Sequence[Layer], graph: Graph) -> tuple[Layer, ...]:
    """All layers that more bits may help: those at fault, then those that lose more than others."""
    guilty = _guilty(layers)
    others = [layer for layer in _losing(layers, graph) if layer.why is None]
    return (*guilty, *others)


def named(layers: Sequence[Layer], graph: Graph, most: int = 3) -> str:
    """The first of the layers in words, for a message; empty where there are none."""
    found, names = list(layers), layer_names(graph)
    texts = [
        f"{layer.op} {names.get(layer.index, layer.name)} ({_because(layer)})"
        for layer in found[:most]
    ]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(texts) + more


def _guilty(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    found = [layer for layer in layers if layer.why not in (None, "accumulated")]
    return tuple(sorted(found, key=_lacking))


def _losing(layers: Sequence[Layer], graph: Graph) -> tuple[Layer, ...]:
    falls = [(_fall(layer, layers, graph), layer) for layer in layers]
    found = sorted((each for each in falls if each[0] > _FALL), key=lambda each: -each[0])
    return tuple(layer for _, layer in found)


def _because(layer: Layer) -> str:
    return f"{layer.why}: {layer.detail}" if layer.why else f"{layer.sqnr_db:.1f} dB"


def _lacking(layer: Layer) -> float:
    """How good the layer is, against the limits: the worse of all channels and the median one."""
    return min(layer.sqnr_db - LOW_DB, layer.channel_sqnr_db - LOW_CHANNEL_DB)


def _fall(layer: Layer, layers: Sequence[Layer], graph: Graph) -> float:
    """How much worse the output is than the op's worst input, in dB."""
    if layer.index < 0:
        return 0.0
    inputs = {graph.tensors[index].name for index in graph.ops[layer.index].inputs if index >= 0}
    before = [_lacking(other) for other in layers if other.name in inputs]
    return min(before) - _lacking(layer) if before else 0.0
