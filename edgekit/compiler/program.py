"""A model as the compiler sees it: values that live in the arena, and layers in order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from edgekit.compiler.operation import Operation


@dataclass(frozen=True)
class Value:
    """An activation.

    Attributes:
        name: Of the tensor in the model.
        shape: Sizes; layout as in the model (batch, height, width, channels).
        dtype: `int8`, `float32`, `int16`, `int32`, `uint8`.
        scale: Of int8 values; 0 where it has none.
        zero_point: The same.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    @property
    def nbytes(self) -> int:
        """Size in the arena."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, eq=False)
class Layer:
    """A step of the program: one function of the C code.

    Attributes:
        name: Of the output tensor in the model.
        kind: The operator of the model that it mainly is, `CONV_2D`.
        operation: What is computed.
        inputs: Numbers of the values that it reads.
        output: Number of the value that it writes.
        fused: Operators of the model that it does besides.
    """

    name: str
    kind: str
    operation: Operation
    inputs: tuple[int, ...]
    output: int
    fused: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Program:
    """A whole model.

    Attributes:
        values: By number.
        layers: In the order of execution.
        inputs: Numbers of the model's inputs.
        outputs: Numbers of the model's outputs.
        tensors: Number of each value -> index of the tensor in the model whose bytes it holds.
        state: Numbers of values that keep their bytes from one run to the next.
    """

    values: tuple[Value, ...]
    layers: tuple[Layer, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    tensors: tuple[int, ...]

    def readers(self, value: int) -> Iterator[Layer]:
        """The layers that read a value."""
        return (layer for layer in self.layers if value in layer.inputs)

    def alone(self, value: int) -> bool:
        """Whether a value is read once and is no output of the model."""
        return len(list(self.readers(value))) == 1 and value not in self.outputs

    def with_layers(self, layers: list[Layer]) -> Program:
        """The same with other layers."""
        return replace(self, layers=tuple(layers))
