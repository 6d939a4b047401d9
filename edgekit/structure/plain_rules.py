"""How units pass operators that compute each value from values of the same channel."""

from __future__ import annotations

from edgekit.graph.graph import Op
from edgekit.structure.analysis import Analysis
from edgekit.structure.places import Places

UNARY = (
    *("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LEAKY_RELU", "ELU", "GELU", "HARD_SWISH"),
    *("LOGISTIC", "TANH", "ABS", "NEG", "EXP", "LOG", "SQRT", "RSQRT", "SQUARE", "SIN", "COS"),
    *("FLOOR", "CEIL", "ROUND", "SIGN", "CAST", "QUANTIZE", "DEQUANTIZE"),
    "LOGICAL_NOT",
)
BINARY = (
    *("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "POW", "PRELU"),
    *("FLOOR_DIV", "FLOOR_MOD", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "EQUAL"),
    *("NOT_EQUAL", "LOGICAL_AND", "LOGICAL_OR", "SELECT", "SELECT_V2"),
)
OVER_PLACES = (
    *("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D", "RESIZE_BILINEAR"),
    *("RESIZE_NEAREST_NEIGHBOR", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"),
)
OVER_CHANNELS = ("SOFTMAX", "LOG_SOFTMAX", "L2_NORMALIZATION")


def unary(known: Analysis, op: Op) -> None:
    """Value by value."""
    if op.inputs[0] in known.places:
        known.places[op.outputs[0]] = known.places[op.inputs[0]]


def over_places(known: Analysis, op: Op) -> None:
    """Neighbours of a picture, each channel for itself."""
    source = known.places.get(op.inputs[0])
    if source is None or source.axis == len(known.shape(op.inputs[0])) - 1:
        unary(known, op)
    else:
        known.refuse(op, "mixes them")


def over_channels(known: Analysis, op: Op) -> None:
    """Along the last axis, where they mix all that is there."""
    source = known.places.get(op.inputs[0])
    if source is None or source.axis < len(known.shape(op.inputs[0])) - 1:
        unary(known, op)
    else:
        known.refuse(op, "depends on all channels together")


def binary(known: Analysis, op: Op) -> None:
    """Value by value with broadcasting: what meets must shrink together."""
    rank = len(known.shape(op.outputs[0]))
    axes = {_aligned(known, index, rank) for index in op.inputs if index in known.places}
    if not axes:
        return
    axis = max(axes)
    size = known.shape(op.outputs[0])[axis]
    own = {place: axis - rank + len(known.shape(index)) for place, index in enumerate(op.inputs)}
    meeting = {
        place: its
        for place, its in own.items()
        if its >= 0 and known.shape(op.inputs[place])[its] == size
    }
    if len(axes) > 1 or any(op.inputs[place] in known.places for place in own.keys() - meeting):
        known.refuse(op, "spreads one over many")
    else:
        together(known, op, meeting, axis)


def _aligned(known: Analysis, index: int, rank: int) -> int:
    """The axis of the result that the units of an input lie along."""
    return known.places[index].axis + rank - len(known.shape(index))


def together(known: Analysis, op: Op, axes: dict[int, int], axis: int) -> None:
    """Inputs whose units are one, place -> axis, and an output with them along `axis`."""
    found = {place: known.operand(op, place, its) for place, its in axes.items()}
    stays = next((place for place, units in found.items() if units is None), None)
    if stays is not None:
        name = known.graph.tensors[op.inputs[stays]].name
        known.refuse(op, f"meets '{name}', which cannot shrink")
        return
    first, *others = [units for units in found.values() if units is not None]
    for units in others:
        known.units.tie(first, units)
    known.places[op.outputs[0]] = Places(axis, first)


def matmul(known: Analysis, op: Op) -> None:
    """A product of activations: what is alike on both sides, such as attention heads, may go."""
    rank = len(known.shape(op.outputs[0]))
    axes = {known.places[index].axis for index in op.inputs if index in known.places}
    if not axes:
        return
    axis = max(axes)
    same = {len(known.shape(index)) for index in op.inputs} == {rank}
    if len(axes) > 1 or not same or axis >= rank - 2:
        known.refuse(op, "multiplies one channel by another")
    else:
        together(known, op, {0: axis, 1: axis}, axis)
