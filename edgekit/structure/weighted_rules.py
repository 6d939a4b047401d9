"""How units pass layers with weights: rows make them, columns read them."""

from __future__ import annotations

import numpy as np

from edgekit.bridge.weights import KINDS, bias_of, has_weights
from edgekit.graph.graph import Op
from edgekit.structure.analysis import Analysis, Role
from edgekit.structure.places import Places, reshaped
from edgekit.structure.units import Array

COLUMNS = {"CONV_2D": 3, "FULLY_CONNECTED": 1, "TRANSPOSE_CONV": 3, "CONV_3D": 3}
"""Axis of the input channels in the kernel."""

TABLES = {"GATHER": (0, 1), "EMBEDDING_LOOKUP": (1, 0)}
"""Inputs that are the table, and what is looked up."""


def matrix(known: Analysis, op: Op) -> None:
    """A convolution or dense layer."""
    if not _ready(known, op):
        known.refuse(op, "has weights that are computed")
        return
    kind = KINDS[op.name]
    kernel = op.inputs[kind.kernel]
    shape = known.shape(kernel)
    made = known.shared(kernel, "rows", known.units.fresh(shape[kind.channel]))
    assert made is not None
    groups = _groups(known, op)
    if groups > 1:
        _grouped(known, op, made, groups)
    else:
        read = known.shared(kernel, "columns", _read(known, op))
        if read is not None:
            known.site(op, kind.kernel, COLUMNS[op.name], read, "columns")
    _rows(known, op, made, "rows")


def depthwise(known: Analysis, op: Op) -> None:
    """Filters of a channel leave with it; of a single channel, which must stay, one by one."""
    source, kernel = known.places.get(op.inputs[0]), op.inputs[1]
    if known.shape(op.inputs[0])[3] == 1 and _ready(known, op):
        known.refuse(op, "reads it alone")
        made = known.shared(kernel, "rows", known.units.fresh(known.shape(kernel)[3]))
        assert made is not None
        _rows(known, op, made, "rows")
        return
    if not _ready(known, op) or source is None or source.axis != 3:
        known.refuse(op, "has weights that are computed, or works along another axis")
        return
    many = known.shape(kernel)[3] // len(source.units)
    units = known.shared(kernel, "along", np.repeat(source.units, many))
    if units is not None:
        _rows(known, op, units, "along")


def table(known: Analysis, op: Op) -> None:
    """Rows of a table that are looked up: each of its columns is a unit."""
    place, whole = TABLES[op.name]
    index = op.inputs[place]
    rows_alone = all(not op.options.get(key) for key in ("axis", "batch_dims"))
    if not (known.is_constant(index) and len(known.shape(index)) == 2 and rows_alone):
        known.refuse(op)
        return
    if not known.real(index) or known.is_constant(op.inputs[whole]):
        return  # a list of numbers, or a part of the weights
    made = known.shared(index, "rows", known.units.fresh(known.shape(index)[1]))
    assert made is not None
    known.site(op, place, 1, made, "rows")
    known.places[op.outputs[0]] = Places(len(known.shape(op.outputs[0])) - 1, made)


def _rows(known: Analysis, op: Op, units: Array, role: Role) -> None:
    kind = KINDS[op.name]
    known.site(op, kind.kernel, kind.channel, units, role)
    if bias_of(op) >= 0:
        known.site(op, kind.bias, 0, units, "along")
    rank = len(known.shape(op.outputs[0]))
    known.places[op.outputs[0]] = Places(rank - 1, units)


def _ready(known: Analysis, op: Op) -> bool:
    bias = bias_of(op)
    return has_weights(known.graph, op) and (bias < 0 or known.is_constant(bias))


def _groups(known: Analysis, op: Op) -> int:
    if op.name != "CONV_2D":
        return 1
    return known.shape(op.inputs[0])[3] // max(known.shape(op.inputs[1])[3], 1)


def _grouped(known: Analysis, op: Op, made: Array, groups: int) -> None:
    """A grouped convolution: whole groups leave."""
    source = known.places.get(op.inputs[0])
    if source is None:
        name = known.graph.tensors[op.inputs[0]].name
        known.units.freeze(made, f"the groups of '{name}', which cannot shrink, are read")
        return
    for inputs, outputs in zip(np.split(source.units, groups), np.split(made, groups), strict=True):
        for units in (inputs, outputs):
            known.units.tie(np.full(len(units), inputs[0]), units)


def _read(known: Analysis, op: Op) -> Array | None:
    """The units of the kernel's columns; those of what is flattened on the way in, too."""
    place = KINDS[op.name].x
    index = op.inputs[place]
    shape = known.shape(index)
    width = known.shape(op.inputs[KINDS[op.name].kernel])[COLUMNS[op.name]]
    if known.is_constant(index):
        return known.operand(op, place, len(shape) - 1) if shape[-1] == width else None
    source = known.places.get(index)
    if source is None:
        return None
    found: Places | None = source
    if op.name == "FULLY_CONNECTED" and (shape[-1] != width or source.axis != len(shape) - 1):
        flat = (int(np.prod(shape)) // width, width)
        found = reshaped(source, shape, flat, known.units)
        found = found if found is not None and found.axis == 1 else None
    elif source.axis != len(shape) - 1:
        found = None
    if found is None:
        known.freeze(source, op, "mixes them along another axis")
        return None
    return found.units
