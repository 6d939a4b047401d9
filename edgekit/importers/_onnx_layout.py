"""Which inputs of an ONNX model are channels-first, found from what the graph does with them."""

from __future__ import annotations

from typing import Any

# fmt: off
CHANNELS_FIRST = frozenset((
    "AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "DepthToSpace",
    "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "GridSample", "GroupNormalization",
    "InstanceNormalization", "LRN", "LpPool", "MaxPool", "MaxRoiPool", "RoiAlign",
    "SpaceToDepth",
))
# fmt: on
"""Operators whose specification says (N, C, spatial...)."""

# fmt: off
NEUTRAL = frozenset((
    "Abs", "Add", "Cast", "Ceil", "Clip", "Concat", "Div", "Dropout", "Elu", "Erf", "Exp",
    "Floor", "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Max", "Mean",
    "Min", "Mish", "Mul", "Neg", "PRelu", "Pad", "Pow", "Reciprocal", "Relu", "Resize", "Round",
    "Selu", "Sigmoid", "Sign", "Slice", "Softplus", "Sqrt", "Sub", "Sum", "Tanh",
    "ThresholdedRelu", "Upsample", "Where",
))
# fmt: on
"""Operators that leave the layout of their input as it is."""

CHANNELS = (1, 3, 4)


def channels_first(proto: Any) -> frozenset[str]:
    """Names of the inputs that are (N, C, spatial...) and become (N, spatial..., C).

    An input that reaches a Conv, a pooling or another channels-first operator through operators
    that leave the layout alone is channels-first. One that is transposed at once says itself what
    it is. An image of rank 4 that is only flattened is judged by its sizes, for example
    (1, 3, 32, 32); everything else (sequences, tables, token ids) stays as it is.
    """
    weights = {tensor.name for tensor in proto.graph.initializer}
    return frozenset(
        value.name
        for value in proto.graph.input
        if value.name not in weights and _is_first(proto.graph, value)
    )


def _is_first(graph: Any, value: Any) -> bool:
    shape = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    if len(shape) not in (3, 4, 5):
        return False
    readers = _readers(graph, value.name)
    if any(node.op_type in CHANNELS_FIRST for node in readers):
        return True
    for node in readers:
        if node.op_type == "Transpose":
            return _permutation(node) == (0, *range(2, len(shape)), 1)
    return len(shape) == 4 and shape[1] in CHANNELS and shape[3] not in CHANNELS


def _readers(graph: Any, name: str) -> list[Any]:
    """Nodes that read `name`, or what neutral nodes make of it, in the order of the graph."""
    same, found = {name}, []
    for node in graph.node:
        if same.isdisjoint(node.input):
            continue
        if node.op_type in NEUTRAL:
            same.update(node.output)
        else:
            found.append(node)
    return found


def _permutation(node: Any) -> tuple[int, ...]:
    return next((tuple(a.ints) for a in node.attribute if a.name == "perm"), ())
