"""Are the activation ranges that training learned the ones in the built file?

Arithmetic of https://ai.google.dev/edge/litert/models/quantization_spec: a range is widened to
hold zero; int8 spreads it over 255 steps, int16 its larger end over 32,767 around zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edgekit.affine import limits
from edgekit.bridge.names import layer_names
from edgekit.evaluate.matching import match
from edgekit.graph.graph import Graph, Tensor
from edgekit.graph.read import read
from edgekit.graph.tied import TIED
from edgekit.problem import Problem

Range = tuple[float, float]
FIXED = ("LOGISTIC", "L2_NORMALIZATION", "LOG_SOFTMAX", "SOFTMAX", "TANH")
"""Ops whose output has the scale that the specification gives, whatever was learned."""
_STEPS = 1e-4  # of a scale: float32 and the quantizer's rounding
_WIDE = 1 / 127  # int16 that was made of int8 has its range, rounded to steps of int8
_SHOWN = 6


@dataclass
class _Found:
    """Names of tensors, by what became of their ranges."""

    changed: list[str] = field(default_factory=list)
    outvoted: list[str] = field(default_factory=list)
    tied: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def ranges_kept(ranges: Mapping[int, Range], float_tflite: bytes, built: bytes) -> list[Problem]:
    """What became of learned ranges that are not in the file as they are.

    Args:
        ranges: (lowest, highest) by tensor index of `float_tflite`.
        float_tflite: What was quantized.
        built: What came out, int8 or with int16 activations; tensors correspond by
            `evaluate.matching`.

    Returns:
        An error for ranges that the file does not have; a warning for those that ties to a tensor
        without a learned range have changed, and for tensors that are not there or in float; a
        note for those that the ops themselves decide: they share a scale, or have a fixed one.
    """
    if not ranges:
        return []
    left, right = read(float_tflite), read(built)
    mates: dict[int, list[Tensor]] = {}
    for index, mate in match(left, right).items():
        mates.setdefault(mate, []).append(right.tensors[index])
    found = _Found()
    groups, names = _groups(left), _names(left)
    fixed = {index for op in left.ops if op.name in FIXED for index in op.outputs}
    for index, wanted in ranges.items():
        group = groups.get(index, frozenset((index,)))
        built_as = [t for t in mates.get(index, ()) if t.quantization is not None]
        if not built_as:
            found.lost.append(names[index])
        elif any(_has(tensor, wanted) for tensor in built_as):
            continue
        elif group & fixed:
            found.fixed.append(names[index])
        elif any(_has(t, ranges[i]) for i in group & ranges.keys() for t in built_as):
            found.tied.append(names[index])
        elif group <= ranges.keys():
            found.changed.append(f"{names[index]} ({_difference(built_as[0], wanted)})")
        else:
            found.outvoted.append(names[index])
    return list(_problems(found))


def scale_of(wanted: Range, dtype: str) -> tuple[float, float]:
    """Scale and (unrounded) zero point that a range gets in `dtype`; scale 0 for an empty range."""
    low, high = min(0.0, wanted[0]), max(0.0, wanted[1])
    least, most = limits(dtype)
    if dtype == "int16":
        return max(-low, high) / most, 0.0
    scale = (high - low) / (most - least)
    return scale, least - low / scale if scale else 0.0


def _has(tensor: Tensor, wanted: Range) -> bool:
    """Whether the tensor has the scale and zero point of the range."""
    assert tensor.quantization is not None
    scale, zero = scale_of(wanted, tensor.dtype)
    if not scale:
        return True
    slack = _WIDE if tensor.dtype == "int16" else _STEPS
    stored, place = float(tensor.quantization.scale[0]), int(tensor.quantization.zero_point[0])
    return abs(stored - scale) <= slack * scale and abs(place - zero) <= 0.5 + 255 * _STEPS


def _difference(tensor: Tensor, wanted: Range) -> str:
    assert tensor.quantization is not None
    scale, zero = scale_of(wanted, tensor.dtype)
    stored, place = float(tensor.quantization.scale[0]), int(tensor.quantization.zero_point[0])
    return f"scale {stored:.6g}, zero point {place} for {scale:.6g}, {round(zero)}"


def _groups(graph: Graph) -> dict[int, frozenset[int]]:
    """Activation -> all activations that ops tie to it, itself among them."""
    groups: dict[int, frozenset[int]] = {}
    for op in graph.ops:
        if op.name in TIED:
            touched = [i for i in (*op.inputs, *op.outputs) if i >= 0 and _free(graph.tensors[i])]
            joined = frozenset(touched).union(*(groups.get(i, frozenset()) for i in touched))
            groups |= dict.fromkeys(joined, joined)
    return groups


def _free(tensor: Tensor) -> bool:
    return tensor.data is None and tensor.dtype == "float32"


def _names(graph: Graph) -> dict[int, str]:
    names = {tensor.index: tensor.name for tensor in graph.tensors}
    layers = layer_names(graph)
    return names | {i: layers[op.index] for op in graph.ops for i in op.outputs}


def _problems(found: _Found) -> Iterable[Problem]:
    where, again = "quantize_aware", "build without the pass, or report the model to edgekit"
    if found.changed:
        text = f"learned ranges are not in the built file: {_listed(found.changed)}"
        yield Problem("error", where, text, again)
    if found.outvoted:
        text = f"a tensor without a learned range decides the scale of: {_listed(found.outvoted)}"
        yield Problem("warning", where, text, "compare with a build without the pass")
    if found.lost:
        text = f"learned ranges have no integer tensor in the built file: {_listed(found.lost)}"
        yield Problem("warning", where, text, "these layers compute as without the pass")
    if found.tied or found.fixed:
        tied = f"these share the scale of another tensor: {_listed(found.tied)}"
        fixed = f"the op itself fixes the scale of: {_listed(found.fixed)}"
        text = "; ".join([tied] * bool(found.tied) + [fixed] * bool(found.fixed))
        hint = "nothing to do: the specification of int8 asks for it"
        yield Problem("note", where, f"learned ranges not used: {text}", hint)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
