"""Short names for the operators of a flatbuffer: the source's layer names where tensors keep them.

A converted tensor is named after the nodes it was made of, in the source's scopes:
`model/activation/Relu;model/conv2d/BiasAdd;model/conv2d/Conv2D` is layer `conv2d`, whatever was
fused into it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from edgekit.bridge.weights import KINDS
from edgekit.graph.graph import Graph, Op

# What TensorFlow and the two Keras call the node that does the work of a layer with weights
_NODES = {
    "CONV_2D": r"conv(2d|1d|olution)?|squeeze_batch_dims",
    "DEPTHWISE_CONV_2D": r"depthwise|depthwise_?conv(2d|1d)?|separable_?conv(2d|1d)?|conv2d",
    "FULLY_CONNECTED": r"matmul|tensordot|einsum|bmm",
    "TRANSPOSE_CONV": r"conv(2d|1d)?_?transpose",
    "CONV_3D": r"conv(3d|olution)?",
    "BATCH_MATMUL": r"(batch)?matmul(v2)?|tensordot|einsum|bmm",
}
# Scopes inside a layer, in the spelling of TensorFlow's nodes: a layer may be named conv2d
_INNER = (
    r"MatMul|Tensordot|einsum|BiasAdd|ReadVariableOp|Conv[123]D(Transpose)?|convolution|depthwise|"
    r"squeeze_batch_dims|ExpandDims|Squeeze|conv_transpose|(lstm|gru|simple_rnn|conv_lstm)_cell"
)
# What converters put in where the source has no name
_NOBODYS = re.compile(r"(tfl?|arith)\..*|(Stateful)?PartitionedCall.*|(Identity|Const)(_\d+)?|")


class Names:
    """Names for the layers of a model: one for each operator, and more that are still free.

    Attributes:
        of: As `layer_names`.
    """

    def __init__(self, graph: Graph) -> None:
        self.of = layer_names(graph)
        self._taken = set(self.of.values())

    def fresh(self, wanted: str) -> str:
        """The name, or with a number what is not taken; taken from now on."""
        name = next(name for name in _variants(wanted) if name not in self._taken)
        self._taken.add(name)
        return name


def layer_names(graph: Graph) -> dict[int, str]:
    """Operator index -> a short name, unique in the graph.

    It is the name of the source's layer where the operator's output tensor tells it, else the
    operator's kind and index (`conv_2d_3`). Layers with weights are served first: where an
    activation has become an operator of its own, `conv2d` is the convolution.
    """
    wanted = {op.index: _candidate(graph, op) for op in graph.ops}
    taken: set[str] = set()
    counts = Counter(wanted.values())
    names = {}
    for op in sorted(graph.ops, key=lambda op: op.name not in _NODES):
        name = wanted[op.index]
        names[op.index] = next(
            n for n in _variants(name) if n not in taken and _free(n, name, counts)
        )
        taken.add(names[op.index])
    return {op.index: names[op.index] for op in graph.ops}


def _variants(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        yield f"{name}_{number}"
        number += 1


def _free(variant: str, name: str, wanted: Counter[str]) -> bool:
    """Whether no operator bears the variant by itself."""
    return variant == name or variant not in wanted


def _candidate(graph: Graph, op: Op) -> str:
    node = _NODES.get(op.name, re.escape(op.name.replace("_", "").lower()))
    result = _scopes(graph, op.outputs[:1])
    # No fusing has touched the name of a kernel
    parts = _scopes(graph, [op.inputs[KINDS[op.name].kernel]] if op.name in KINDS else []) + result
    working = [
        scopes
        for scopes in parts
        if len(scopes) > 1 and re.fullmatch(f"({node})_?\\d*", scopes[-1].lower())
    ]
    named = (_layer(scopes) for scopes in (*working, *result))
    return next((name for name in named if name), f"{op.name.lower()}_{op.index}")


def _scopes(graph: Graph, indices: Sequence[int]) -> list[list[str]]:
    names = [graph.tensors[index].name for index in indices]
    return [part.split("/") for name in names for part in name.split(";")]


def _layer(scopes: list[str]) -> str:
    """`dense` of `model/dense/Tensordot/MatMul`; of a bare name, itself; empty: nobody's name."""
    if len(scopes) > 1:
        scopes = scopes[:-1]
    while len(scopes) > 1 and re.fullmatch(f"({_INNER})(_?\\d+)?", scopes[-1]):
        scopes = scopes[:-1]
    if any(map(_NOBODYS.fullmatch, scopes)):
        return ""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", scopes[-1]).strip("_-")
