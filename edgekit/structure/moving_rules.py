"""How units pass operators that move values to other places."""

from __future__ import annotations

import numpy as np

from edgekit.graph.graph import Op
from edgekit.structure.analysis import Analysis
from edgekit.structure.places import Places, reshaped
from edgekit.structure.plain_rules import together, unary


def reshape(known: Analysis, op: Op) -> None:
    """RESHAPE, SQUEEZE, EXPAND_DIMS."""
    source = known.places.get(op.inputs[0])
    if source is None:
        return
    before, after = known.shape(op.inputs[0]), known.shape(op.outputs[0])
    found = reshaped(source, before, after, known.units)
    if found is None:
        known.refuse(op, "makes one axis of all of them, or parts them in a way that mixes them")
    else:
        known.places[op.outputs[0]] = found


def transpose(known: Analysis, op: Op) -> None:
    """Axes change places."""
    source, order = known.places.get(op.inputs[0]), known.constant(op.inputs[1])
    if source is None:
        return
    if order is None:
        known.refuse(op, "gets its order of axes from the input")
        return
    axis = order.reshape(-1).tolist().index(source.axis)
    known.places[op.outputs[0]] = Places(axis, source.units)


def pad(known: Analysis, op: Op) -> None:
    """Channels that are put in front or behind are units of their own."""
    source, paddings = known.places.get(op.inputs[0]), known.constant(op.inputs[1])
    if source is None:
        return
    if paddings is None or (op.name == "MIRROR_PAD" and paddings[source.axis].any()):
        known.refuse(op, "repeats channels, or as many as the input says")
        return
    before, after = (known.units.fresh(int(count)) for count in paddings[source.axis])
    units = np.concatenate([before, source.units, after])
    known.places[op.outputs[0]] = Places(source.axis, units)


def reduce(known: Analysis, op: Op) -> None:
    """MEAN, SUM, ... over other axes than that of the channels."""
    source, axes = known.places.get(op.inputs[0]), known.constant(op.inputs[1])
    if source is None:
        return
    rank = len(known.shape(op.inputs[0]))
    gone = {int(axis) % rank for axis in axes.reshape(-1)} if axes is not None else {source.axis}
    if source.axis in gone:
        known.refuse(op, "adds them up")
        return
    kept = bool(op.options.get("keep_dims"))
    lost = 0 if kept else sum(axis < source.axis for axis in gone)
    known.places[op.outputs[0]] = Places(source.axis - lost, source.units)


def concatenate(known: Analysis, op: Op) -> None:
    """Channels after channels; or other axes, where the channels must stay alike."""
    rank = len(known.shape(op.outputs[0]))
    along = int(op.options["axis"]) % rank
    axes = {known.places[index].axis for index in op.inputs if index in known.places}
    if axes == {along}:
        parts = [_part(known, index, along) for index in op.inputs]
        known.places[op.outputs[0]] = Places(along, np.concatenate(parts))
    elif len(axes) == 1:
        axis = axes.pop()
        together(known, op, dict.fromkeys(range(len(op.inputs)), axis), axis)
    elif axes:
        known.refuse(op, "joins them along another axis")


def _part(known: Analysis, index: int, axis: int) -> np.ndarray:
    if index in known.places:
        return known.places[index].units
    units = known.units.fresh(known.shape(index)[axis])
    known.units.freeze(units, f"'{known.graph.tensors[index].name}' cannot shrink")
    return units


def cut(known: Analysis, op: Op) -> None:
    """SLICE: some of the channels, or all of them at some places."""
    source = known.places.get(op.inputs[0])
    if source is None:
        return
    begin, size = known.constant(op.inputs[1]), known.constant(op.inputs[2])
    if begin is None or size is None:
        known.refuse(op, "cuts where the input says")
        return
    start, count = int(begin[source.axis]), known.shape(op.outputs[0])[source.axis]
    known.places[op.outputs[0]] = Places(source.axis, source.units[start : start + count])


def strided(known: Analysis, op: Op) -> None:
    """STRIDED_SLICE that takes all channels."""
    source = known.places.get(op.inputs[0])
    if source is None:
        return
    options, shape = op.options, known.shape(op.inputs[0])
    given = [known.constant(index) for index in op.inputs[1:4]]
    shrinks = int(options.get("shrink_axis_mask") or 0)
    odd = options.get("ellipsis_mask") or options.get("new_axis_mask")
    axis = source.axis
    if odd or any(each is None or len(each) <= axis for each in given) or shrinks >> axis & 1:
        known.refuse(op, "cuts channels out")
        return
    begin, end, step = (int(each[axis]) for each in given if each is not None)
    begin = 0 if int(options.get("begin_mask") or 0) >> axis & 1 else begin % shape[axis]
    whole = int(options.get("end_mask") or 0) >> axis & 1 or end >= shape[axis]
    if begin or step != 1 or not whole:
        known.refuse(op, "cuts channels out")
        return
    lost = sum(shrinks >> before & 1 for before in range(axis))
    known.places[op.outputs[0]] = Places(axis - lost, source.units)


def pack(known: Analysis, op: Op) -> None:
    """Tensors along a new axis."""
    rank = len(known.shape(op.outputs[0]))
    along = int(op.options.get("axis") or 0) % rank
    axes = {known.places[index].axis for index in op.inputs if index in known.places}
    if len(axes) == 1:
        axis = axes.pop()
        after = axis + (axis >= along)
        together(known, op, dict.fromkeys(range(len(op.inputs)), axis), after)
    elif axes:
        known.refuse(op, "joins them along another axis")


def unpack(known: Analysis, op: Op) -> None:
    """A tensor for each index along an axis that is not that of the channels."""
    source = known.places.get(op.inputs[0])
    if source is None:
        return
    along = int(op.options.get("axis") or 0) % len(known.shape(op.inputs[0]))
    if along == source.axis:
        known.refuse(op, "takes them apart")
        return
    axis = source.axis - (along < source.axis)
    known.places |= {index: Places(axis, source.units) for index in op.outputs}


def split(known: Analysis, op: Op) -> None:
    """Parts along an axis; parts of the channels (gates of an LSTM) shrink alike."""
    place, of = (1, 0) if op.name == "SPLIT" else (0, 2)
    source, axis = known.places.get(op.inputs[place]), known.constant(op.inputs[of])
    if source is None:
        return
    rank = len(known.shape(op.inputs[place]))
    if axis is not None and int(axis.reshape(-1)[0]) % rank != source.axis:
        known.places |= dict.fromkeys(op.outputs, source)
    elif axis is None or op.name != "SPLIT":
        known.refuse(op, "takes them apart")
    else:
        first, *others = np.split(source.units, len(op.outputs))
        for units in others:
            known.units.tie(first, units)
        known.places |= dict.fromkeys(op.outputs, Places(source.axis, first))


RULES = {
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), reshape),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), pad),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"), reduce),
    **dict.fromkeys(("SPLIT", "SPLIT_V"), split),
    "TRANSPOSE": transpose,
    "CONCATENATION": concatenate,
    "SLICE": cut,
    "STRIDED_SLICE": strided,
    "PACK": pack,
    "UNPACK": unpack,
    "IDENTITY": unary,
}
