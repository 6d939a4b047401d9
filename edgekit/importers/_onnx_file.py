"""Read an ONNX file, whatever it holds: a complete ModelProto, or a ModelError that says why not.

Runs in the child process of `_onnx2tf`: a damaged file may abort the C++ parsers below.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edgekit.errors import ModelError

AGAIN = "export the model again, and check that the file was copied completely"
MOST_ELEMENTS = 1 << 26
DOMAINS = {"", "ai.onnx", "com.microsoft"}
QUANTIZED = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger"}


def read(path: Path) -> tuple[Any, tuple[str, ...]]:
    """Read `path` and the weight files beside it.

    Returns:
        The model with all weights in memory, and the names of the weight files, relative to
        the model's folder.

    Raises:
        ModelError: Not an ONNX model, damaged, or a weight file is missing or outside the folder.
    """
    import onnx
    from onnx.external_data_helper import load_external_data_for_model

    try:
        proto = onnx.load(str(path), load_external_data=False)
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror}", AGAIN) from error
    except Exception as error:  # whatever protobuf says about damaged bytes
        raise ModelError(f"{path.name} is not an ONNX model: {first_line(error)}", AGAIN) from error
    if not proto.graph.node:
        raise ModelError(f"{path.name} is not an ONNX model: it holds no operators", AGAIN)
    if not all(isinstance(name, str) for name in _names(proto.graph)):
        raise ModelError(f"{path.name} is damaged: names in it are no text", AGAIN)
    files = tuple(sorted(_external(proto)))
    try:
        load_external_data_for_model(proto, str(path.parent))
    except Exception as error:  # missing, outside the folder, too short: onnx has its own types
        raise ModelError(
            f"{path.name}: weights in {', '.join(files)} cannot be read: {first_line(error)}",
            f"put the weight file beside {path.name}, or export with the weights inside the model",
        ) from error
    _check_size(path, proto)
    return proto, files


def refuse(path: Path, proto: Any) -> None:
    """Refuse by name what cannot be converted, before anything slow starts.

    Raises:
        ModelError: An input without a batch of 1, dynamic sizes, an unusual type; a custom or
            unknown operator; a model that is already quantized.
    """
    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in weights]
    if not inputs or not proto.graph.output:
        raise ModelError(f"{path.name} has no inputs or no outputs", AGAIN)
    for value in inputs:
        _refuse_input(path, value)
    for node in proto.graph.node:
        _refuse_node(path, node, {function.name for function in proto.functions})


def label(node: Any) -> str:
    """How messages name a node: its name, or the tensor it makes where it has none."""
    return f"node '{node.name or (node.output[0] if node.output else '?')}' ({node.op_type})"


def first_line(error: BaseException) -> str:
    """The first line with words in it of what another library says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:1000] if lines else type(error).__name__


def _check_size(path: Path, proto: Any) -> None:
    size = proto.ByteSize()
    if size >= 1 << 31:
        raise ModelError(
            f"{path.name} has {size >> 20} MB of weights; ONNX models end at 2048 MB here",
            "use a smaller model: no target of edgekit holds this one",
        )


def _refuse_input(path: Path, value: Any) -> None:
    import onnx

    tensor = value.type.tensor_type
    types = onnx.TensorProto
    kind = types.DataType.Name(tensor.elem_type) if tensor.elem_type else "no tensor"
    where = f"{path.name}: input '{value.name}'"
    if tensor.elem_type not in (types.FLOAT, types.INT8, types.UINT8, types.INT32, types.INT64):
        raise ModelError(
            f"{where} is {kind}", "export the model with float32 (or int32, int64, int8) inputs"
        )
    if not tensor.HasField("shape") or not tensor.shape.dim:
        raise ModelError(
            f"{where} has no batch axis", "export the model with inputs of shape (1, ...)"
        )
    first, *rest = tensor.shape.dim
    if any(dim.dim_value <= 0 for dim in rest):
        shape = ", ".join(dim.dim_param or str(dim.dim_value or "?") for dim in tensor.shape.dim)
        raise ModelError(
            f"{where} has a dynamic shape ({shape}): only the batch may vary",
            "export the model with fixed sizes, for example (1, 3, 96, 96)",
        )
    if first.dim_value > 1:
        raise ModelError(
            f"{where} has a fixed batch of {first.dim_value}",
            "export the model with a batch of 1 or a dynamic batch axis",
        )
    elements = 1
    for dim in rest:
        elements *= dim.dim_value
    if elements > MOST_ELEMENTS:
        raise ModelError(
            f"{where} has {elements} elements; more than {MOST_ELEMENTS} fit no target",
            "export the model with a smaller input",
        )


def _refuse_node(path: Path, node: Any, functions: set[str]) -> None:
    if node.op_type in functions:
        return
    where = f"{path.name}: {label(node)}"
    if node.domain not in DOMAINS:
        raise ModelError(
            f"{where} is of the custom domain '{node.domain}'",
            "export the model with standard ONNX operators only",
        )
    if node.op_type in QUANTIZED or node.op_type.startswith("QLinear"):
        raise ModelError(
            f"{where}: the model is already quantized",
            "give the float model; edgekit quantizes it for the target",
        )
    if node.op_type not in convertible():
        raise ModelError(
            f"{where} is an operator that cannot be converted",
            "replace the operator in the source model, or leave it out and compute it in your code",
        )


@cache
def convertible() -> frozenset[str]:
    """Names of the operators that onnx2tf has a file for (found without importing TensorFlow)."""
    spec = find_spec("onnx2tf")
    places = spec.submodule_search_locations if spec else None
    folder = Path(next(iter(places or ["onnx2tf"]))) / "ops"
    return frozenset(file.stem for file in folder.glob("*.py") if not file.stem.startswith("_"))


def tensors(proto: Any) -> Iterator[Any]:
    """Every constant tensor of the model: initialisers and attributes, sub-graphs included."""
    graphs = [proto.graph]
    while graphs:
        graph = graphs.pop()
        yield from graph.initializer
        for node in graph.node:
            for attribute in node.attribute:
                yield from ([attribute.t] if attribute.HasField("t") else [])
                yield from attribute.tensors
                graphs += [attribute.g] if attribute.HasField("g") else []
                graphs += attribute.graphs


def _names(graph: Any) -> Iterator[Any]:
    """All names in the graph; protobuf gives bytes for one that is not UTF-8."""
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        yield value.name
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)


def _external(proto: Any) -> set[str]:
    from onnx.external_data_helper import uses_external_data

    return {
        entry.value
        for tensor in tensors(proto)
        if uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    }
