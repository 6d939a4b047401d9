"""Which tensor of a built model stands for which of the float model it was made from."""

from __future__ import annotations

from difflib import SequenceMatcher

from edgekit.graph.graph import Graph, Op

_COPIES = ("QUANTIZE", "DEQUANTIZE")


def match(left: Graph, right: Graph) -> dict[int, int]:
    """Activation tensors of the built graph -> their counterparts in the float graph.

    Inputs correspond by position and op outputs by name, else by place in the sequence of ops;
    what QUANTIZE and DEQUANTIZE write corresponds to what they read. Counterparts have the
    same shape.
    """
    pairs: dict[int, int] = {}
    for given, wanted in zip(right.inputs, left.inputs, strict=False):
        if left.tensors[wanted].shape == right.tensors[given].shape:
            pairs[given] = wanted
    names = {left.tensors[index].name: index for op in left.ops for index in op.outputs}
    aligned = _aligned(left, right)
    for op in right.ops:
        for index in op.outputs:
            mate = aligned.get(index)
            if op.name in _COPIES:
                mate = pairs.get(op.inputs[0])
            elif right.tensors[index].name in names:
                mate = names[right.tensors[index].name]
            if mate is not None and left.tensors[mate].shape == right.tensors[index].shape:
                pairs[index] = mate
    return pairs


def _aligned(left: Graph, right: Graph) -> dict[int, int]:
    """Outputs of equal ops at corresponding places in the two sequences of ops."""
    ours, theirs = _computing(right), _computing(left)
    matcher = SequenceMatcher(a=_keys(left, theirs), b=_keys(right, ours), autojunk=False)
    pairs: dict[int, int] = {}
    for a, b, size in matcher.get_matching_blocks():
        for offset in range(size):
            pairs |= zip(ours[b + offset].outputs, theirs[a + offset].outputs, strict=False)
    return pairs


def _computing(graph: Graph) -> list[Op]:
    return [op for op in graph.ops if op.outputs and op.name not in _COPIES]


def _keys(graph: Graph, ops: list[Op]) -> list[tuple[str, tuple[int, ...]]]:
    return [(op.name, graph.tensors[op.outputs[0]].shape) for op in ops]
