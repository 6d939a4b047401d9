"""Trained weights back into the flatbuffer they came from; all else stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import Lifted, LiftedLayer
from edgekit.bridge.weights import KINDS
from edgekit.errors import UsageError
from edgekit.graph import edit

_ROUNDING = 1e-6  # relative; dividing by a scale and multiplying it back costs less


def lower(lifted: Lifted, kernels: Mapping[str, NDArray[Any]] | None = None) -> bytes:
    """The flatbuffer with the current weights and biases, the scale of a layer folded into them.

    Tensors and operators keep their indices. A constant that was not trained keeps its bytes. One
    that others read too (equal biases are stored once) is left to them: the layer gets a tensor of
    its own at the end.

    Args:
        lifted: What `lift` made, after training.
        kernels: Layer name -> kernel in the layer's layout, to be taken as it is instead of the
            current one.

    Raises:
        UsageError: `kernels` names a layer that there is not, or has another shape.
    """
    given = dict(kernels or {})
    _check(lifted, given)
    model = edit.unpack(lifted.data)
    changed = False
    for layer in lifted.layers:
        kind = KINDS[layer.op.name]
        kernel = given.get(layer.name)
        stored = kind.to_flatbuffer(np.asarray(layer.kernel_array() if kernel is None else kernel))
        changed |= _store(model, layer, kind.kernel, stored, exact=kernel is not None)
        bias = layer.bias_array()
        if bias is not None:
            changed |= _store(model, layer, kind.bias, bias)
        for op, offset in layer.biases:
            own = replace(layer, op=op, ops=(op.index,))
            changed |= _store(model, own, kind.bias, np.asarray(offset.bias))
    return edit.pack(model) if changed else lifted.data


def _check(lifted: Lifted, kernels: Mapping[str, NDArray[Any]]) -> None:
    shapes = {layer.name: layer.kernel_array().shape for layer in lifted.layers}
    for name, kernel in kernels.items():
        if name not in shapes:
            raise UsageError(
                f"no layer '{name}' to store a kernel in", f"there are {', '.join(shapes)}"
            )
        if np.shape(kernel) != shapes[name]:
            raise UsageError(
                f"the kernel of layer '{name}' is {np.shape(kernel)}, not {shapes[name]}",
                "give it in the layer's layout",
            )


def _store(
    model: Any, layer: LiftedLayer, place: int, values: NDArray[Any], exact: bool = False
) -> bool:
    """Write a constant of the layer; False where it is there already."""
    graph = model.subgraphs[0]
    index = int(graph.operators[layer.op.index].inputs[place])
    tensor = graph.tensors[index]
    before, values = edit.constant(model, tensor), values.astype(np.float32)
    if before is not None and _same(before, values, exact):
        return False
    if _read_by_others(graph, layer, place, index):
        index = _copy(graph, tensor)
        for number in layer.ops:
            inputs = [int(each) for each in graph.operators[number].inputs]
            graph.operators[number].inputs = np.array(
                [index if slot == place else each for slot, each in enumerate(inputs)], np.int32
            )
    edit.set_constant(model, graph.tensors[index], values)
    return True


def _same(before: NDArray[Any], values: NDArray[Any], exact: bool) -> bool:
    if exact:
        return bool(np.array_equal(before, values))
    return bool(np.allclose(values, before, rtol=_ROUNDING, atol=0.0))


def _read_by_others(graph: Any, layer: LiftedLayer, place: int, index: int) -> bool:
    mine = {(number, place) for number in layer.ops}
    readers = {
        (number, slot)
        for number, operator in enumerate(graph.operators)
        for slot, read in enumerate(operator.inputs)
        if int(read) == index
    }
    return bool(readers - mine) or index in map(int, graph.outputs)


def _copy(graph: Any, tensor: Any) -> int:
    """A tensor like this one at the end of the graph, so far with the same buffer."""
    twin = copy(tensor)
    graph.tensors.append(twin)
    return len(graph.tensors) - 1
