"""Which tensors of a flatbuffer share their fate when it is quantized, and which ops touch them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from edgekit.errors import UsageError
from edgekit.graph import edit

TIED = frozenset(
    [
        *("AVERAGE_POOL_2D", "CONCATENATION", "EXPAND_DIMS", "GATHER", "MAX_POOL_2D", "PACK"),
        *("MIRROR_PAD", "PAD", "PADV2", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"),
        *("SLICE", "SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE", "UNPACK"),
    ]
)
"""Ops whose inputs and outputs have one scale in int8: what ruins one ruins all.
https://ai.google.dev/edge/litert/models/quantization_spec"""
CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
"""They show the same values in another type, under another name."""


def tied(model: Any, names: Collection[str]) -> set[int]:
    """Indices of the activations `names` of the main graph, and of those that ops tie to them.

    Args:
        model: A `ModelT`, float or int8.
        names: Of tensors.

    Raises:
        UsageError: There is no activation of a name.
    """
    graph = model.subgraphs[0]
    made = {int(index) for op in graph.operators for index in op.outputs}
    places = made | {int(index) for index in graph.inputs}
    found = {index for index in places if edit.tensor_name(graph.tensors[index]) in names}
    missing = set(names) - names_of(model, found)
    if missing:
        raise UsageError(
            f"no layer's output is named '{min(missing)}'",
            "report.json of a build lists the outputs of all layers under fidelity",
        )
    groups = [group for op in graph.operators if (group := _group(model, op))]
    while any(found & group and not group <= found for group in groups):
        found |= {index for group in groups if found & group for index in group}
    return found


def names_of(model: Any, indices: Collection[int]) -> frozenset[str]:
    """The names of these tensors of the main graph."""
    return frozenset(edit.tensor_name(model.subgraphs[0].tensors[index]) for index in indices)


def touched(op: Any) -> list[int]:
    """Indices of the op's inputs and outputs."""
    return [int(index) for index in (*op.inputs, *op.outputs) if index >= 0]


def around(data: bytes, names: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Kind and first output's name of each op that writes or reads what `tied` finds.

    Conversions of type are left out.

    Raises:
        UsageError: There is no activation of a name.
    """
    if not names:
        return ()
    model = edit.unpack(data)
    graph = model.subgraphs[0]
    found = tied(model, names)
    ops = [op for op in graph.operators if found.intersection(touched(op))]
    kinds = [(edit.operator_name(model, op), int(op.outputs[0])) for op in ops]
    return tuple(
        (kind, edit.tensor_name(graph.tensors[output]))
        for kind, output in kinds
        if kind not in CONVERSIONS
    )


def _group(model: Any, op: Any) -> set[int]:
    """The activations that the op ties together, if it does."""
    if edit.operator_name(model, op) not in (*TIED, *CONVERSIONS):
        return set()
    tensors = model.subgraphs[0].tensors
    return {
        index
        for index in touched(op)
        if edit.tensor_type(tensors[index]) in ("INT8", "FLOAT32")
        and edit.constant(model, tensors[index]) is None
    }
