"""`.tflite` files: float ones are the hub's own form; quantized ones are taken as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgekit.errors import EdgekitError, ModelError
from edgekit.graph.count import parameters
from edgekit.graph.graph import Graph, Op
from edgekit.graph.read import read
from edgekit.importers.base import hash_source, model_name, specs
from edgekit.importers.prove import highest_index, refuse_open_outputs, seeded_rows
from edgekit.model import Model, Source
from edgekit.problem import Problem
from edgekit.runtimes.base import open_runtime

_INTEGER = ("int8", "uint8", "int16", "int4", "int2")
_SAMPLES = 3


def load(path: Path, modules: Sequence[str] = ()) -> Model:
    """Import a flatbuffer: checked, and run once in a child process; see `base.load`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}", "check the file") from error
    graph = read(data, str(path))
    _refuse_open_shapes(graph, path)
    _run(data, graph, path)
    scheme = _scheme(graph)
    inputs, outputs = specs(graph)
    return Model(
        name=model_name(path),
        source=Source(path, hash_source(path), "tflite", parameters(graph)),
        tflite=data,
        inputs=inputs,
        outputs=outputs,
        proof={"samples": _SAMPLES, "tolerance": 0.0, "max_difference": 0.0},
        traits=frozenset({"quantized"} if scheme else ()),
        history=("imported from tflite",),
        problems=(_note(path, scheme),) if scheme else (),
    )


def _refuse_open_shapes(graph: Graph, path: Path) -> None:
    for index in graph.inputs:
        tensor = graph.tensors[index]
        if any(size < 0 for size in tensor.signature[1:]):
            raise ModelError(
                f"{path}: input {tensor.name!r} has no fixed shape: {list(tensor.signature)}",
                "convert the model again with fixed sizes (all but the batch)",
            )
        if len(tensor.shape) > 1 and tensor.shape[0] != 1:
            raise ModelError(
                f"{path}: input {tensor.name!r} has batch size {tensor.shape[0]} baked in",
                "convert the model again with batch 1",
            )


def _run(data: bytes, graph: Graph, path: Path) -> None:
    """The file is its own reference: it has to run, and to give the same twice."""
    try:
        refuse_open_outputs(graph)
        with open_runtime("litert", data, isolated=True) as runtime:
            rows = seeded_rows(runtime.inputs, 0, _SAMPLES, highest_index(graph))
            for row in rows:
                first, second = runtime.run(row), runtime.run(row)
                if any(a.tobytes() != b.tobytes() for a, b in zip(first, second, strict=True)):
                    raise ModelError("it gives other outputs when run again", "convert it again")
    except EdgekitError as error:
        raise ModelError(f"{path}: {error.message}", error.hint) from error


def _scheme(graph: Graph) -> str:
    """`full integer`, `dynamic range`, `float16` weights or '' for plain float."""
    found = ""
    for op in graph.ops:
        weights = [graph.tensors[i] for i in op.inputs[1:] if i >= 0]
        if not any(w.data is not None and w.quantization and w.dtype in _INTEGER for w in weights):
            continue
        if graph.tensors[op.inputs[0]].dtype in _INTEGER:
            return "integer"
        found = "dynamic range"
    return found or ("float16" if any(_widens(graph, op) for op in graph.ops) else _io(graph))


def _widens(graph: Graph, op: Op) -> bool:
    weight = graph.tensors[op.inputs[0]] if op.inputs else None
    half = weight is not None and weight.data is not None and weight.dtype == "float16"
    return op.name == "DEQUANTIZE" and half


def _io(graph: Graph) -> str:
    integer = any(t.quantization and t.dtype in _INTEGER for t in graph.tensors)
    return "integer" if integer else ""


def _note(path: Path, scheme: str) -> Problem:
    what = {
        "integer": "is quantized already (integer)",
        "dynamic range": "has dynamic-range weights: int8 weights, float activations",
        "float16": "has float16 weights",
    }[scheme]
    return Problem(
        "note",
        str(path),
        f"{what}; it is exported and measured as it is",
        "to quantize for a target, start from the float model",
    )
