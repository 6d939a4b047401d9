"""Copies of an ONNX model that onnx2tf can work on: batch 1, safe names, constants folded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.importers._onnx_file import tensors

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def fixed(proto: Any) -> Any:
    """A copy with batch 1, functions inlined, weights that are not inputs, and shapes inferred."""
    import onnx
    from onnx import inliner

    copy = inliner.inline_local_functions(proto) if proto.functions else onnx.ModelProto()
    if not proto.functions:
        copy.CopyFrom(proto)
    graph = copy.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    for value in inputs:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    del graph.input[:], graph.value_info[:]
    graph.input.extend(inputs)
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    copy.ir_version = max(copy.ir_version, 4)  # before 4 every weight had to be an input as well
    for node in graph.node:
        if node.op_type in GATES:
            _complete_recurrent(graph, node)
    return onnx.shape_inference.infer_shapes(copy)


def _complete_recurrent(graph: Any, node: Any) -> None:
    """Write out the zeros that the specification says for a missing bias and initial state."""
    import onnx
    from onnx import numpy_helper

    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    directions = 2 if attributes.get("direction") == b"bidirectional" else 1
    size = attributes["hidden_size"]
    state = (directions, 1, size)
    zeros = {3: (directions, 2 * GATES[node.op_type] * size), 5: state}
    if node.op_type == "LSTM":
        zeros[6] = state
    names = [*node.input, *[""] * (max(zeros) + 1 - len(node.input))]
    for position, shape in zeros.items():
        if not names[position]:
            names[position] = f"{node.output[0] or node.name}_zeros_{position}"
            value = np.zeros(shape, np.float32)
            graph.initializer.append(numpy_helper.from_array(value, names[position]))
    node.input[:] = names


def simplified(proto: Any, folder: Path) -> Any:
    """`proto` after onnxruntime's basic optimisations: constants folded, BatchNorm fused.

    They keep to standard operators (onnxruntime, "Graph Optimizations", basic level), and turn
    the shape arithmetic of exporters into constants.
    """
    import onnx
    import onnxruntime

    path = folder / "simplified.onnx"
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return onnx.shape_inference.infer_shapes(onnx.load(str(path)))


def renamed(proto: Any) -> tuple[Any, dict[str, str]]:
    """A copy whose names TensorFlow accepts, and for every new name the old one.

    Exporters write `/layer1/Conv`, `x:0` or nothing; TensorFlow wants unique identifiers.
    """
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    names: dict[str, str] = {}
    old: dict[str, str] = {}

    def new(name: str) -> str:
        if name and name not in names:
            names[name] = _unique(name, old)
            old[names[name]] = name
        return names.get(name, "")

    graphs = [copy.graph]
    while graphs:
        graphs += _rename(graphs.pop(), new)
    for node in copy.graph.node:
        source, node.name = node.name, _unique(node.name or node.op_type, old)
        old[node.name] = source or node.output[0]
    return copy, old


def _rename(graph: Any, new: Any) -> list[Any]:
    inner: list[Any] = []
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        value.name = new(value.name)
    for sparse in graph.sparse_initializer:
        sparse.values.name = new(sparse.values.name)
    for node in graph.node:
        node.input[:] = [new(name) for name in node.input]
        node.output[:] = [new(name) for name in node.output]
        for attribute in node.attribute:
            inner += [attribute.g] if attribute.HasField("g") else []
            inner += attribute.graphs
    return inner


def identifier(name: str) -> str:
    """`name` as TensorFlow accepts it: letters, digits and `_`, a letter first."""
    safe = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "t"
    return safe if safe[0].isalpha() else f"t_{safe}"


def _unique(name: str, taken: dict[str, str]) -> str:
    unique = safe = identifier(name)
    count = 1
    while unique in taken:
        count += 1
        unique = f"{safe}_{count}"
    return unique


def parameters(proto: Any) -> int:
    """Count of weights: elements of the floating-point constants that are no scalars."""
    import onnx

    types = onnx.TensorProto
    floats = (types.FLOAT, types.FLOAT16, types.DOUBLE, types.BFLOAT16)
    total = 0
    for tensor in tensors(proto):
        if tensor.data_type in floats and tensor.dims:
            count = 1
            for size in tensor.dims:
                count *= size
            total += count
    return total
