"""The layers with weights in a flatbuffer under edit: which axis is what, who reads whom."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from edgekit.graph import edit

OUTPUT_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}


@dataclass(frozen=True)
class Layer:
    """One CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED; `operator` is the schema's object.

    Attributes:
        kind: Name of the op.
        operator: `OperatorT`.
        weights: Tensor index.
        bias: Tensor index, -1 where there is none.
        output: Tensor index.
        activation: Fused activation, the schema's number.
    """

    kind: str
    operator: Any
    weights: int
    bias: int
    output: int
    activation: int

    @property
    def output_axis(self) -> int:
        """Of the weights."""
        return OUTPUT_AXIS[self.kind]


class Net:
    """The main graph of a model under edit, with its layers and the readers of each tensor."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.graph = model.subgraphs[0]

    def kind(self, operator: Any) -> str:
        """Name of the op."""
        return edit.operator_name(self.model, operator)

    def name(self, index: int) -> str:
        """Name of a tensor."""
        return edit.tensor_name(self.graph.tensors[index])

    def values(self, index: int) -> np.ndarray | None:
        """Constant values of a tensor, None where it has none or does not exist."""
        if index < 0:
            return None
        return edit.constant(self.model, self.graph.tensors[index])

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """In the order of execution."""
        return tuple(
            _layer(self.kind(operator), operator)
            for operator in self.graph.operators
            if self.kind(operator) in OUTPUT_AXIS
        )

    @cached_property
    def readers(self) -> Counter[int]:
        """Tensor index -> how many op inputs it is, an output of the graph counting as one."""
        uses = [int(i) for operator in self.graph.operators for i in operator.inputs]
        return Counter([*uses, *(int(i) for i in self.graph.outputs)])

    @cached_property
    def reader(self) -> dict[int, Any]:
        """Tensor index -> the op that reads it last."""
        return {int(i): operator for operator in self.graph.operators for i in operator.inputs}


def _layer(kind: str, operator: Any) -> Layer:
    inputs = [int(index) for index in operator.inputs]
    bias = inputs[2] if len(inputs) > 2 else -1
    activation = int(operator.builtinOptions.fusedActivationFunction)
    return Layer(kind, operator, inputs[1], bias, int(operator.outputs[0]), activation)
