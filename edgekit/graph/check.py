"""Is the graph sound: indices, order of execution, constants, subgraphs?

The rules are those under which LiteRT and TFLite Micro do not read or write where they must not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgekit.graph.flatbuffer import Malformed
from edgekit.graph.graph import Graph, Op
from edgekit.graph.needs import check_needs
from edgekit.graph.shapes import check_shapes

ABSENT = -1


def check(graph: Graph) -> None:
    """Check a model's main graph and its subgraphs.

    Raises:
        Malformed: Naming the operator or tensor.
    """
    graphs = (graph, *graph.subgraphs)
    for each in graphs:
        _check_ends(each)
        _check_order(each)
        for op in each.ops:
            check_needs(each, op)
            check_shapes(each, op)
    _check_calls(graphs)


def called(op: Op) -> tuple[int, ...]:
    """Numbers of the subgraphs that an operator calls; 0 is the main graph."""
    numbers: list[int] = []
    for name, value in op.options.items():
        if name.endswith("_subgraph_index") or name == "subgraph":
            numbers.append(value)
        elif name == "branch_subgraph_indices":
            numbers.extend(value or ())
    return tuple(numbers)


def _check_ends(graph: Graph) -> None:
    for what, indices in (("input", graph.inputs), ("output", graph.outputs)):
        for index in indices:
            if not 0 <= index < len(graph.tensors):
                raise Malformed(f"{what} tensor {index} does not exist")
    for index in graph.inputs:
        if graph.tensors[index].data is not None:
            raise Malformed(f"input '{graph.tensors[index].name}' is a constant")
    if len(set(graph.inputs)) != len(graph.inputs):
        raise Malformed("an input is listed twice")


def _check_order(graph: Graph) -> None:
    """Every operator reads what exists by then and writes what nothing else has written."""
    ready = set(graph.inputs)
    for tensor in graph.tensors:
        # An empty tensor needs no data and no writer (the shape of a scalar, for one)
        if tensor.data is not None or tensor.variable or tensor.elements == 0:
            ready.add(tensor.index)
    written = set(graph.inputs)
    for op in graph.ops:
        _check_inputs(graph, op, ready)
        _check_outputs(graph, op, written)
        ready.update(op.outputs)
        written.update(op.outputs)
    missing = [index for index in graph.outputs if index not in ready]
    if missing:
        raise Malformed(f"output '{graph.tensors[missing[0]].name}' is never written")


def _check_inputs(graph: Graph, op: Op, ready: set[int]) -> None:
    for index in op.inputs:
        if index == ABSENT:
            continue
        if not 0 <= index < len(graph.tensors):
            raise Malformed(f"{graph.title(op)} reads tensor {index}, which does not exist")
        if index not in ready:
            name = graph.tensors[index].name
            raise Malformed(f"{graph.title(op)} reads '{name}' before it is written")


def _check_outputs(graph: Graph, op: Op, written: set[int]) -> None:
    if len(set(op.outputs)) != len(op.outputs):
        raise Malformed(f"{graph.title(op)} writes a tensor twice")
    for index in op.outputs:
        if not 0 <= index < len(graph.tensors):
            raise Malformed(f"{graph.title(op)} writes tensor {index}, which does not exist")
        if graph.tensors[index].data is not None:
            raise Malformed(f"{graph.title(op)} writes a constant")
        if index in written:
            raise Malformed(f"{graph.title(op)} writes a tensor that is written before")
        if index in op.inputs:
            raise Malformed(f"{graph.title(op)} writes its own input")


def _check_calls(graphs: Sequence[Graph]) -> None:
    """Subgraphs exist and do not call themselves, directly or in a circle."""
    calls = [_calls(graph, len(graphs)) for graph in graphs]
    safe: set[int] = set()
    while len(safe) < len(graphs):
        leaves = {place for place, targets in enumerate(calls) if targets <= safe} - safe
        if not leaves:
            raise Malformed("a subgraph calls itself")
        safe |= leaves


def _calls(graph: Graph, count: int) -> set[Any]:
    targets: set[Any] = set()
    for op in graph.ops:
        for number in called(op):
            if not 0 <= number < count:
                raise Malformed(f"{graph.title(op)} calls graph {number} of {count}")
            targets.add(number)
    return targets
