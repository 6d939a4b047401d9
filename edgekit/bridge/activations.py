"""Activations by the names that people use: of the layer that makes them, or of the tensor."""

from __future__ import annotations

from collections.abc import Iterable

from edgekit._discover import did_you_mean
from edgekit.bridge.names import layer_names
from edgekit.errors import UsageError
from edgekit.graph.read import read


def activations(tflite: bytes, names: Iterable[str]) -> tuple[str, ...]:
    """Names of tensors for names of layers (`layer_names`) or, where no layer has it, of tensors.

    Args:
        tflite: The float flatbuffer.
        names: Each of a layer, an op's output or an input of the model.

    Raises:
        UsageError: There is none of a name.
    """
    wanted = tuple(names)
    if not wanted:
        return ()
    graph = read(tflite)
    known = {graph.tensors[index].name: [index] for index in graph.inputs}
    known |= {graph.tensors[index].name: [index] for op in graph.ops for index in op.outputs}
    short = layer_names(graph)
    layers = {short[op.index]: list(op.outputs) for op in graph.ops}
    found: dict[str, None] = {}
    for name in wanted:
        if name not in known and name not in layers:
            raise UsageError(f"no layer is named '{name}'", did_you_mean(name, layers))
        indices = layers.get(name) or known[name]
        found |= dict.fromkeys(graph.tensors[index].name for index in indices)
    return tuple(found)
