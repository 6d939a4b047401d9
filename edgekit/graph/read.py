"""A `.tflite` file into a `Graph`, checked so far that an interpreter can be given it.

Files come from anywhere: truncated, with flipped bits, no model at all. Whatever is in them,
`read` returns a sound graph or raises `ModelError`, in time and memory proportional to the file.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import ModelError
from edgekit.graph.check import check
from edgekit.graph.flatbuffer import DAMAGED, Malformed, Table, root
from edgekit.graph.graph import Graph, Op
from edgekit.graph.options import NEWER, read_options
from edgekit.graph.schema import (
    BUFFER,
    METADATA,
    MODEL,
    OPERATOR,
    OPERATOR_CODE,
    SIGNATURE,
    SUBGRAPH,
    TENSOR_MAP,
    names,
)
from edgekit.graph.tensors import EXTERNAL, read_tensors

IDENTIFIER = b"TFL3"
VERSION = 3


def is_tflite(head: bytes) -> bool:
    """Whether a file that starts with `head` (8 bytes or more) calls itself a `.tflite`."""
    return head[4:8] == IDENTIFIER


def read(data: bytes, path: str = "model.tflite") -> Graph:
    """Read and check a TensorFlow Lite flatbuffer.

    Args:
        data: The whole file; constants of the graph are views of it.
        path: Its name, for messages.

    Returns:
        The first subgraph, with the others in `subgraphs`.

    Raises:
        ModelError: The file is no `.tflite`, is damaged, or holds what edgekit does not read
            (external tensors, operators newer than the schema at hand).
    """
    try:
        return _read(bytes(data))
    except Malformed as error:
        raise ModelError(f"{path}: {error.message}", error.hint) from None
    except (
        struct.error,
        IndexError,
        KeyError,
        ValueError,
        TypeError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        raise ModelError(f"{path}: it cannot be read ({error})", DAMAGED) from error


def _read(data: bytes) -> Graph:
    model = root(data, MODEL, IDENTIFIER)
    if model.integer("version", "I") != VERSION:
        raise Malformed(f"schema version {model.integer('version', 'I')}, not {VERSION}", NEWER)
    if model.tables("external_buffers", {}):
        raise Malformed("its weights are in external buffers", EXTERNAL)
    buffers = [_buffer(index, table) for index, table in enumerate(model.tables("buffers", BUFFER))]
    codes = [_code(table) for table in model.tables("operator_codes", OPERATOR_CODE)]
    tables = model.tables("subgraphs", SUBGRAPH)
    if not tables:
        raise Malformed("it has no graph")
    main, *others = [_graph(table, buffers, codes) for table in tables]
    graph = Graph(
        name=main.name,
        tensors=main.tensors,
        ops=main.ops,
        inputs=main.inputs,
        outputs=main.outputs,
        subgraphs=tuple(others),
        description=model.text("description"),
    )
    check(graph)
    _check_metadata(model, len(buffers))
    _check_signatures(model, (graph, *others))
    return graph


def _buffer(index: int, table: Table) -> NDArray[Any]:
    # 0 and 1 both mean "inside the flatbuffer" (schema.fbs, Buffer.offset)
    if table.integer("offset", "Q") > 1 or table.integer("size", "Q") > 1:
        raise Malformed(f"buffer {index} is stored outside the flatbuffer", EXTERNAL)
    data = table.vector("data", "u1")
    return np.empty(0, np.uint8) if data is None else data


def _code(table: Table) -> tuple[str, int, bool]:
    number = max(table.integer("builtin_code", "i"), table.integer("deprecated_builtin_code", "b"))
    name = names("BuiltinOperator").get(number)
    version = table.integer("version", "i", default=1)
    if name is None:
        raise Malformed(f"unknown builtin operator {number}", NEWER)
    if version < 1:
        raise Malformed(f"operator {name} has the impossible version {version}")
    if name != "CUSTOM":
        return name, version, False
    custom = table.text("custom_code")
    if not custom:
        raise Malformed("a custom operator has no name")
    return custom, version, True


def _graph(
    table: Table, buffers: Sequence[NDArray[Any]], codes: Sequence[tuple[str, int, bool]]
) -> Graph:
    operators = table.tables("operators", OPERATOR)
    tensors = read_tensors(table, buffers)
    ops = [_op(index, operator, codes) for index, operator in enumerate(operators)]
    for op, operator in zip(ops, operators, strict=True):
        if any(not 0 <= index < len(tensors) for index in operator.numbers("intermediates")):
            raise Malformed(f"operator {op.index} {op.name} has no such intermediate")
    return Graph(
        name=table.text("name"),
        tensors=tensors,
        ops=tuple(ops),
        inputs=table.numbers("inputs"),
        outputs=table.numbers("outputs"),
    )


def _op(index: int, table: Table, codes: Sequence[tuple[str, int, bool]]) -> Op:
    number = table.integer("opcode_index", "I")
    if number >= len(codes):
        raise Malformed(f"operator {index} has code {number} of {len(codes)}")
    if table.integer("large_custom_options_offset", "Q") > 1:
        raise Malformed(f"operator {index} has options outside the flatbuffer", EXTERNAL)
    name, version, custom = codes[number]
    # Looked at for their bounds only: runtimes read them
    table.vector("custom_options", "u1")
    table.vector("mutating_variable_inputs", "?")
    return Op(
        index=index,
        name=name,
        version=version,
        inputs=table.numbers("inputs"),
        outputs=table.numbers("outputs"),
        options=read_options(name, table),
        custom=custom,
    )


def _check_metadata(model: Table, buffers: int) -> None:
    for entry in model.tables("metadata", METADATA):
        name, index = entry.text("name"), entry.integer("buffer", "I")
        if index >= buffers:
            raise Malformed(f"metadata '{name}' uses buffer {index} of {buffers}")
    if any(not 0 <= index < buffers for index in model.numbers("metadata_buffer")):
        raise Malformed("metadata uses a buffer that does not exist")


def _check_signatures(model: Table, graphs: Sequence[Graph]) -> None:
    for signature in model.tables("signature_defs", SIGNATURE):
        key, index = signature.text("signature_key"), signature.integer("subgraph_index", "I")
        if index >= len(graphs):
            raise Malformed(f"signature '{key}' uses graph {index} of {len(graphs)}")
        for side in ("inputs", "outputs"):
            for entry in signature.tables(side, TENSOR_MAP):
                name, tensor = entry.text("name"), entry.integer("tensor_index", "I")
                if tensor >= len(graphs[index].tensors):
                    raise Malformed(f"signature '{key}' names tensor {tensor} as '{name}'")
