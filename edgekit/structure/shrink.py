"""Take units out of a flatbuffer, or put copies in: tensors, constants, what operators are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from copy import copy, deepcopy
from typing import Any

import numpy as np

from edgekit.graph import edit
from edgekit.graph.graph import Op
from edgekit.structure.dependencies import Dependencies
from edgekit.structure.units import Array, Mask

Filter = dict[int, Mask | Array]


def shrink(data: bytes, known: Dependencies, keep: Mask | Array) -> bytes:
    """The flatbuffer without the units that are not kept.

    Operators and tensors keep their indices; what else was computed from the removed units'
    channels is not made up for.

    Args:
        data: That `known` is about.
        known: Its units.
        keep: bool [units]; true for those that are frozen. Or int [units]: how often each is
            there, its copies one after the other; 1 for those that are frozen.
    """
    model = edit.unpack(data)
    _constants(model, known, keep)
    for op in known.graph.ops:
        _told(model, known, keep, op)
    for index, places in known.places.items():
        tensor, size = model.subgraphs[0].tensors[index], int(keep[places.units].sum())
        tensor.shape = _with(tensor.shape, places.axis, size)
        if tensor.shapeSignature is not None and len(tensor.shapeSignature):
            tensor.shapeSignature = _with(tensor.shapeSignature, places.axis, size)
    return edit.pack(model)


def _constants(model: Any, known: Dependencies, keep: Mask | Array) -> None:
    """Filter constants; one that operators need in different sizes becomes several."""
    wanted: dict[tuple[int, int], Filter] = defaultdict(dict)
    for site in known.sites:
        if (keep[site.units] != 1).any():
            wanted[site.op, site.place][site.axis] = keep[site.units]
    alike: dict[tuple[int, bytes], list[tuple[int, int]]] = defaultdict(list)
    for (number, place), filters in wanted.items():
        alike[known.graph.ops[number].inputs[place], _key(filters)].append((number, place))
    for readers in alike.values():
        _filter(model, own(model, readers), wanted[readers[0]])


def _key(filters: Filter) -> bytes:
    return b"".join(bytes([axis]) + filters[axis].tobytes() for axis in sorted(filters))


def own(model: Any, readers: Sequence[tuple[int, int]]) -> int:
    """Let inputs of operators have the constant that they read for themselves.

    Args:
        model: A `ModelT`.
        readers: Operator and place of inputs that read one constant.

    Returns:
        Its tensor index: a new one where others read it, too.
    """
    graph = model.subgraphs[0]
    index = int(graph.operators[readers[0][0]].inputs[readers[0][1]])
    count = sum((np.asarray(op.inputs) == index).sum() for op in graph.operators)
    if count == len(readers):
        return index
    twin = copy(graph.tensors[index])
    twin.quantization = deepcopy(twin.quantization)
    graph.tensors.append(twin)
    for number, place in readers:
        inputs = np.array(graph.operators[number].inputs, np.int32)
        inputs[place] = len(graph.tensors) - 1
        graph.operators[number].inputs = inputs
    return len(graph.tensors) - 1


def _filter(model: Any, index: int, filters: Filter) -> None:
    tensor = model.subgraphs[0].tensors[index]
    values, quantization = edit.constant(model, tensor), tensor.quantization
    assert values is not None, "sites are constants"
    for axis, kept in filters.items():
        values = np.repeat(values, kept, axis)
        scales = quantization.scale if quantization is not None else None
        if scales is not None and len(scales) > 1 and quantization.quantizedDimension == axis:
            quantization.scale = np.repeat(np.asarray(scales), kept)
            quantization.zeroPoint = np.repeat(np.asarray(quantization.zeroPoint), kept)
    edit.set_constant(model, tensor, values)


def _told(model: Any, known: Dependencies, keep: Mask | Array, op: Op) -> None:
    """Sizes that an operator is told as constants or options."""
    places = known.places.get(op.outputs[0]) if op.outputs else None
    if places is None or (keep[places.units] == 1).all():
        return
    axis, kept = places.axis, keep[places.units]
    options = model.subgraphs[0].operators[op.index].builtinOptions
    if op.name == "RESHAPE":
        if options is not None and options.newShape is not None and len(options.newShape) > axis:
            options.newShape = _with(options.newShape, axis, int(kept.sum()))
        _tell(model, op, 1, axis, kept.sum())
    elif op.name in ("PAD", "PADV2"):
        before = int(np.asarray(known.graph.tensors[op.inputs[1]].data)[axis, 0])
        behind = before + known.graph.tensors[op.inputs[0]].shape[axis]
        _tell(model, op, 1, axis, [kept[:before].sum(), kept[behind:].sum()])
    elif op.name == "SLICE":
        begin = int(np.asarray(known.graph.tensors[op.inputs[1]].data)[axis])
        _tell(model, op, 1, axis, keep[known.places[op.inputs[0]].units][:begin].sum())
        _tell(model, op, 2, axis, kept.sum())
    elif op.name == "STRIDED_SLICE":
        _tell(model, op, 2, known.places[op.inputs[0]].axis, kept.sum())
    elif op.name == "TRANSPOSE_CONV":
        _tell(model, op, 0, axis, kept.sum())
    elif op.name == "DEPTHWISE_CONV_2D" and known.graph.tensors[op.inputs[0]].shape[axis] == 1:
        options.depthMultiplier = int(kept.sum())


def _tell(model: Any, op: Op, place: int, axis: int, value: Any) -> None:
    """Change a constant of the operator along an axis; -1 there stands for all."""
    tensors = model.subgraphs[0].tensors
    values = edit.constant(model, tensors[op.inputs[place]]) if place < len(op.inputs) else None
    if values is None or (values[axis] == -1).all():
        return
    values[axis] = value
    edit.set_constant(model, tensors[own(model, [(op.index, place)])], values)


def _with(sizes: Any, axis: int, size: int) -> Any:
    changed = np.array(sizes, np.int32)
    changed[axis] = size
    return changed
