"""What is in a model file: layers, shapes, quantization, bytes, MACs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgekit.errors import ModelError
from edgekit.graph.accumulators import accumulators
from edgekit.graph.count import layer_macs, parameters, weight_bytes
from edgekit.graph.graph import Graph, Op, Tensor
from edgekit.graph.read import is_tflite, read
from edgekit.progress import Progress
from edgekit.target.support import support


def inspect(
    path: Path, progress: Progress | None = None, targets: Iterable[str] | None = None
) -> dict[str, Any]:
    """Describe a model file.

    A `.tflite` file is read as it is, without TensorFlow; any other format is imported first and
    what is described is the float flatbuffer that a build would start from.

    Args:
        path: The model file or SavedModel folder.
        progress: Told when a model must be imported first, which takes seconds.
        targets: Names of those that are asked what they make of it; empty: all; None: none.

    Returns:
        JSON-able: `path`, `format`, `sha256` and `bytes` (of the flatbuffer), `description`,
        `parameters`, `macs`, `inputs` and `outputs` (name, shape, dtype, scale, zero_point),
        `layers` (index, op, version, name, shape, dtype, scale, zero_point, quantization of the
        weights, bytes of the weights, macs), `accumulators` (of integer layers: index, name, bits
        by rule, exact and of the runtime), `subgraphs`, and where targets are asked `targets`
        (`edgekit.target.support.Support`).

    Raises:
        ModelError: There is no such file, or it cannot be read.
        UsageError: There is no such target.
    """
    data, kind = _flatbuffer(path, progress or Progress())
    graph = read(data, str(path))
    macs = layer_macs(graph)
    found = {
        "path": str(path),
        "format": kind,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "description": graph.description,
        "parameters": parameters(graph),
        "macs": sum(macs),
        "inputs": [_end(tensor) for tensor in graph.input_tensors()],
        "outputs": [_end(tensor) for tensor in graph.output_tensors()],
        "layers": [
            _layer(graph, op, size, count)
            for op, size, count in zip(graph.ops, weight_bytes(graph), macs, strict=True)
        ],
        "accumulators": [asdict(each) for each in accumulators(graph)],
        "subgraphs": len(graph.subgraphs),
    }
    if targets is not None:
        found["targets"] = [each.to_json() for each in support(graph, data, targets)]
    return found


def _flatbuffer(path: Path, progress: Progress) -> tuple[bytes, str]:
    if path.is_file():
        try:
            with path.open("rb") as file:
                head = file.read(8)
                if is_tflite(head) or path.suffix == ".tflite":
                    return head + file.read(), "tflite"
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}", "check its rights") from (
                error
            )
    from edgekit.importers.base import load

    progress.step(f"importing {path.name}")
    model = load(path)
    return model.tflite, model.source.format


def _end(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.signature),
        "dtype": tensor.dtype,
        **_affine(tensor),
    }


def _affine(tensor: Tensor) -> dict[str, Any]:
    """Scale and zero point of a tensor with one of each, else None."""
    quantization = tensor.quantization
    if quantization is None or quantization.per_channel:
        return {"scale": None, "zero_point": None}
    return {
        "scale": float(quantization.scale[0]),
        "zero_point": int(quantization.zero_point[0]),
    }


def _layer(graph: Graph, op: Op, size: int, macs: int) -> dict[str, Any]:
    outputs = [graph.tensors[index] for index in op.outputs]
    output = _end(outputs[0]) if outputs else dict.fromkeys(("name", "shape", "dtype", "scale"))
    return {
        "index": op.index,
        "op": op.name,
        "version": op.version,
        **output,
        "quantization": _weights(graph, op),
        "bytes": size,
        "macs": macs,
    }


def _weights(graph: Graph, op: Op) -> str | None:
    """How the largest constant of an operator is stored, such as `int8 per channel`."""
    constants = [graph.tensors[index] for index in op.inputs if index >= 0]
    constants = [each for each in constants if each.data is not None]
    if not constants:
        return None
    largest = max(constants, key=lambda each: each.elements)
    if largest.quantization is None:
        return largest.dtype
    blocks = "per block" if largest.quantization.block else "per channel"
    return f"{largest.dtype} {blocks if largest.quantization.per_channel else 'per tensor'}"
