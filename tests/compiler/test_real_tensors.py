"""Real int8 models, tensor by tensor: whatever survives lowering is tflite-micro's, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check
from int8_models import INT8_MODELS

from edgekit.compiler.absorb import absorb
from edgekit.compiler.compiled import compile_graph
from edgekit.compiler.cores import core_of
from edgekit.compiler.interpret import run_values
from edgekit.compiler.lower import lower
from edgekit.compiler.program import Program
from edgekit.golden.inputs import Row, vectors
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.runtimes._children import Children


def tensors_of(model: bytes, graph: Graph, rows: list[Row]) -> list[dict[int, np.ndarray]]:
    """Every tensor that an operator writes, of each row, as tflite-micro computes it."""
    order = [index for op in graph.ops for index in op.outputs if index >= 0]
    with Children("tflite-micro-tensors", model) as micro:
        return [dict(zip(order, kept, strict=True)) for kept in micro.map_rows(rows)]


def compare(program: Program, row: Row, wanted: dict[int, np.ndarray]) -> int:
    """How many layers are the same; fails where one differs. Channels may have been left out."""
    values, compared = run_values(program, row), 0
    for layer in program.layers:
        tensor, value = wanted.get(program.tensors[layer.output]), values[layer.output]
        if tensor is not None and tensor.nbytes == value.nbytes:
            assert tensor.dtype == value.dtype
            assert tensor.tobytes() == value.tobytes(), f"{layer.name} ({layer.kind})"
            compared += 1
    return compared


@pytest.mark.parametrize("name", INT8_MODELS)
def test_every_tensor_is_tflite_micros(name: str, real_models: Path) -> None:
    model = (real_models / INT8_MODELS[name]).read_bytes()
    graph = read(model)
    rows = vectors(graph)[:2]
    wanted = tensors_of(model, graph, rows)
    whole = lower(graph)
    programs = [compile_graph(graph, core_of(core), "m").program for core in CORES]
    for row, tensors in zip(rows, wanted, strict=True):
        assert compare(whole, row, tensors) == len(whole.layers)
        assert compare(absorb(whole), row, tensors) == len(absorb(whole).layers)
        for program in programs:
            assert compare(program, row, tensors) > 0
            for number, index in zip(program.outputs, graph.outputs, strict=True):
                assert run_values(program, row)[number].tobytes() == tensors[index].tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", INT8_MODELS)
@pytest.mark.parametrize("core", CORES)
def test_c_under_sanitizers(name: str, core: str, real_models: Path, tmp_path: Path) -> None:
    check([(real_models / INT8_MODELS[name]).read_bytes()], core, tmp_path, 1)
