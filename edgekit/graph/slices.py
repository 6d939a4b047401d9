"""SPLIT, SPLIT_V and UNPACK written as one SLICE for each output.

TensorFlow's quantizer visits ops in the order of their addresses, and for ops of several outputs
that order decides whether they become integer (TF 2.21): now and then some stay float. It also
gives each output the names of all. SLICE has one output and always becomes integer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit.graph import edit, rewire

SLICED = ("SPLIT", "SPLIT_V", "UNPACK")
HIGHEST_RANK = 5  # of SLICE's kernels


def slice_all(data: bytes) -> bytes:
    """The flatbuffer with a SLICE (and for UNPACK a RESHAPE) for each output that is read."""
    if not rewire.has(data, SLICED):
        return data
    model = edit.unpack(data)
    graph = model.subgraphs[0]
    operators = []
    for each in graph.operators:
        source, axis = _what(model, graph, each)
        operators += [each] if axis is None else _slices(model, graph, each, source, axis)
    graph.operators = operators
    rewire.drop_dead(model)
    return edit.pack(model)


def _what(model: Any, graph: Any, operator: Any) -> tuple[int, int | None]:
    """Which tensor is cut, and along which axis; None where it is not, or where nobody knows."""
    kind = edit.operator_name(model, operator)
    if kind not in SLICED:
        return -1, None
    place = {"SPLIT": 1, "SPLIT_V": 0, "UNPACK": 0}[kind]
    index = int(operator.inputs[place])
    rank = len(graph.tensors[index].shape)
    if kind == "UNPACK":
        rank = 0 if rank == 1 else rank  # a RESHAPE to a scalar has no shape to store
        axis = int(operator.builtinOptions.axis)
    else:
        where = graph.tensors[int(operator.inputs[0 if kind == "SPLIT" else 2])]
        values = edit.constant(model, where)
        if values is None:
            return index, None
        axis = int(values.reshape(-1)[0])
    return index, axis % rank if 0 < rank <= HIGHEST_RANK else None


def _slices(model: Any, graph: Any, operator: Any, index: int, axis: int) -> list[Any]:
    source = graph.tensors[index]
    begin, made = np.zeros(len(source.shape), np.int64), []
    for number, output in enumerate(map(int, operator.outputs)):
        result = graph.tensors[output]
        unpacks = len(result.shape) < len(source.shape)
        size = np.array(source.shape, np.int64)
        size[axis] = 1 if unpacks else result.shape[axis]
        cut = rewire.add_tensor(graph, result, size, "_slice") if unpacks else output
        name = f"{edit.tensor_name(result)}_{number}"
        where = [
            rewire.add_integers(model, graph, begin, f"{name}_begin"),
            rewire.add_integers(model, graph, size, f"{name}_size"),
        ]
        made.append(rewire.operator(model, "SLICE", [index, *where], cut, "SliceOptions"))
        if unpacks:
            shape = rewire.add_integers(model, graph, result.shape, f"{name}_shape")
            made.append(rewire.operator(model, "RESHAPE", [cut, shape], output, "ReshapeOptions"))
        begin[axis] += size[axis]
    return made
