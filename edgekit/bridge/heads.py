"""The last activation of a model, which training leaves off: losses are computed from scores."""

from __future__ import annotations

from typing import Literal

from edgekit.graph.graph import Graph, Op

Head = Literal["softmax", "sigmoid", "linear"]
_HEADS: dict[str, Head] = {"SOFTMAX": "softmax", "LOG_SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}
_MOVES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def head_of(graph: Graph, output: int) -> tuple[Head, Op | None]:
    """What an output ends with, looking through reshapes, and the operator that computes it."""
    makers = {index: op for op in graph.ops for index in op.outputs}
    index = output
    while index in makers and makers[index].name in _MOVES:
        index = makers[index].inputs[0]
    op = makers.get(index)
    if op is None or op.name not in _HEADS:
        return "linear", None
    return _HEADS[op.name], op
