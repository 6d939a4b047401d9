"""Which range decides the scale of each activation of the int8 file, and which are fixed.

The quantizer gives some tensors the scale of another (reshaping, pooling, joining), some one that
the specification fixes (softmax, sigmoid), and leaves some ops in float. Rather than a second list
of these rules that ages apart from the quantizer, the quantizer itself is asked: every activation
gets a range of its own size, and the scales it writes tell whose range went where.
https://ai.google.dev/edge/litert/models/quantization_spec
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from edgekit.affine import real_range
from edgekit.evaluate.matching import match
from edgekit.graph import edit
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.graph.schema import generated
from edgekit.quantizers._code_book import PLACES
from edgekit.quantizers.base import QuantizeOptions, float_ops
from edgekit.quantizers.int8 import to_int8

FIRST, STEP = 2.0, 2.0**-9  # of the telling ranges: larger than all that the specification fixes
_LEVELS = 255


@dataclass(frozen=True)
class Grid:
    """How an activation is rounded in the int8 file.

    Attributes:
        source: Index of the tensor whose range decides; -1: the specification does.
        low: Smallest value, where it is fixed.
        high: Largest value, where it is fixed.
    """

    source: int
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class Grids:
    """What the int8 quantizer does with a float graph, whatever its ranges are.

    Attributes:
        activations: By tensor index; those that stay float with all their readers are missing.
            One that a reader wants on another grid than its producer gives it has the producer's.
        kernels: Tensor indices of the kernels that become int8, and whether each output channel
            has its own scale.
        floats: The ops that stay float, by name and output.
    """

    activations: Mapping[int, Grid]
    kernels: Mapping[int, bool]
    floats: tuple[str, ...]


def grids(tflite: bytes) -> Grids:
    """Ask the int8 quantizer, with one scale for each dense kernel.

    Raises:
        ModelError: It does not take the model; names the op.
    """
    graph = read(tflite)
    sizes = _sizes(graph)
    data = to_int8(_marked(tflite, sizes), QuantizeOptions(disable_per_channel_dense=True))
    built = read(data)
    pairs = match(graph, built)
    found: dict[int, Grid] = {}
    for index in (*built.inputs, *(out for op in built.ops for out in op.outputs)):
        limits = real_range(built.tensors[index])
        if limits is not None and index in pairs and built.tensors[index].dtype == "int8":
            found.setdefault(pairs[index], _grid(limits, sizes))
    return Grids(found, dict(_kernels(graph, built, pairs)), tuple(float_ops(data)))


def _kernels(graph: Graph, built: Graph, pairs: Mapping[int, int]) -> Iterator[tuple[int, bool]]:
    makers = {index: op for op in graph.ops for index in op.outputs}
    for op in built.ops:
        mate = makers.get(pairs.get(op.outputs[0], -1)) if op.outputs else None
        if mate is not None and op.name in PLACES and mate.name == op.name:
            place = PLACES[op.name].weights
            kernel = built.tensors[op.inputs[place]]
            if kernel.dtype == "int8" and kernel.quantization is not None:
                yield mate.inputs[place], kernel.quantization.per_channel


def _sizes(graph: Graph) -> dict[int, float]:
    """A telling size for every float activation."""
    indices = [*graph.inputs, *(index for op in graph.ops for index in op.outputs)]
    floats = [index for index in indices if graph.tensors[index].dtype == "float32"]
    return {index: FIRST + STEP * place for place, index in enumerate(dict.fromkeys(floats))}


def _marked(tflite: bytes, sizes: Mapping[int, float]) -> bytes:
    model = edit.unpack(tflite)
    for index, size in sizes.items():
        quantization = generated().QuantizationParametersT()
        quantization.min = np.array([-size], np.float32)
        quantization.max = np.array([size], np.float32)
        model.subgraphs[0].tensors[index].quantization = quantization
    return edit.pack(model)


def _grid(limits: tuple[float, float], sizes: Mapping[int, float]) -> Grid:
    low, high = limits
    size = (high - low) / 2
    near = min(sizes, key=lambda index: abs(sizes[index] - size))
    centred = abs(low + high) <= 2 * (high - low) / _LEVELS
    if centred and abs(sizes[near] - size) < STEP / 4:
        return Grid(near)
    return Grid(-1, low, high)
