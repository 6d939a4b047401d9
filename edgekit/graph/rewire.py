"""New ops and tensors in a flatbuffer under edit, and out with those that nobody reads."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from edgekit.graph import edit
from edgekit.graph.schema import generated


def has(data: bytes, kinds: Collection[str]) -> bool:
    """Whether a flatbuffer has ops of these kinds, without unpacking it."""
    model = generated().Model.GetRootAs(data, 0)
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    numbers = {max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) for code in codes}
    return any(getattr(generated().BuiltinOperator, kind) in numbers for kind in kinds)


def add_tensor(graph: Any, like: Any, shape: Iterable[int], suffix: str) -> int:
    """A tensor of another shape with the type, range and name (plus `suffix`) of `like`; its index.

    It has no values; `set_constant` gives it some.
    """
    tensor = generated().TensorT()
    tensor.name = f"{edit.tensor_name(like)}{suffix}".encode()
    tensor.type, tensor.shape, tensor.hasRank = like.type, np.array(list(shape), np.int32), True
    tensor.quantization, tensor.buffer = copy.deepcopy(like.quantization), edit.EMPTY
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def add_integers(model: Any, graph: Any, values: Iterable[int], name: str) -> int:
    """A constant int32 vector: a shape, sizes; its index."""
    tensor = generated().TensorT()
    tensor.name, tensor.hasRank, tensor.buffer = name.encode(), True, len(model.buffers)
    model.buffers.append(generated().BufferT())
    graph.tensors.append(tensor)
    edit.set_constant(model, tensor, np.array(list(values), np.int32))
    return len(graph.tensors) - 1


def operator(
    model: Any, name: str, inputs: Sequence[int], output: int, options: str, **values: Any
) -> Any:
    """An `OperatorT` of version 1 with one output; the caller puts it in its place.

    Args:
        model: Gets the operator code where it lacks it.
        name: `RESHAPE`, ...
        inputs: Tensor indices.
        output: Tensor index.
        options: Name of the options' table, `ReshapeOptions`, ...
        values: Its fields, as the schema's Python object names them.
    """
    schema = generated()
    made = schema.OperatorT()
    made.opcodeIndex = edit.operator_code(model, name, 1)
    made.inputs, made.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
    made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
    made.builtinOptions = getattr(schema, f"{options}T")()
    for field, value in values.items():
        setattr(made.builtinOptions, field, value)
    return made


def named(tensors: Mapping[str, int]) -> list[Any]:
    """Entries of a signature: names of inputs or outputs -> tensor indices."""
    entries = []
    for name, tensor in tensors.items():
        entry = generated().TensorMapT()
        entry.name, entry.tensorIndex = name.encode(), tensor
        entries.append(entry)
    return entries


def drop_dead(model: Any) -> None:
    """Remove ops whose outputs nobody reads, tensors that nobody mentions, unused codes."""
    for number, graph in enumerate(model.subgraphs):
        live = _live(graph)
        graph.operators = [
            op
            for op in graph.operators
            if not len(op.outputs) or live.intersection(map(int, op.outputs))
        ]
        named = [graph.inputs, graph.outputs]
        named += [ids for op in graph.operators for ids in (op.inputs, op.outputs)]
        named += [op.intermediates for op in graph.operators if op.intermediates is not None]
        kept = sorted({int(index) for indices in named for index in indices} - {-1})
        graph.tensors = [graph.tensors[index] for index in kept]
        _renumber(model, number, {-1: -1} | {old: new for new, old in enumerate(kept)})
    edit.drop_unused(model)


def _live(graph: Any) -> set[int]:
    """Tensors that an output needs, or an op that is there for its effect: it has no output."""
    live = {int(index) for index in graph.outputs}
    for each in reversed(graph.operators):
        if not len(each.outputs) or live.intersection(map(int, each.outputs)):
            live.update(map(int, each.inputs))
    return live


def _renumber(model: Any, number: int, places: Mapping[int, int]) -> None:
    def moved(indices: Any) -> Any:
        return None if indices is None else np.array([places[int(i)] for i in indices], np.int32)

    graph = model.subgraphs[number]
    graph.inputs, graph.outputs = moved(graph.inputs), moved(graph.outputs)
    for each in graph.operators:
        each.inputs, each.outputs = moved(each.inputs), moved(each.outputs)
        each.intermediates = moved(each.intermediates)
    for signature in model.signatureDefs or []:
        if signature.subgraphIndex == number:
            for entry in (*(signature.inputs or []), *(signature.outputs or [])):
                entry.tensorIndex = places[entry.tensorIndex]
