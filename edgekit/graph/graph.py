"""A model as a small frozen graph: tensors, operators, inputs, outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from edgekit.graph.schema import DTYPES


@dataclass(frozen=True, eq=False)
class Quantization:
    """Affine quantization: real value = scale * (stored value - zero_point).

    Attributes:
        scale: float32 [n], finite and positive; n == 1: per tensor.
        zero_point: int64 [n], inside the range of the tensor's dtype.
        axis: The dimension the n values belong to; 0 where n == 1.
        block: Elements of one scale along the axis (blockwise quantization), else 0; then
            `scale` is the flattened array of scales of all blocks.

    Source: Jacob et al. 2018, arXiv:1712.05877; schema.fbs of TensorFlow Lite.
    """

    scale: NDArray[Any]
    zero_point: NDArray[Any]
    axis: int
    block: int = 0

    @property
    def per_channel(self) -> bool:
        """Whether the values differ along an axis."""
        return len(self.scale) > 1


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of a graph.

    Attributes:
        index: Its place in `Graph.tensors`.
        name: As the converter wrote it.
        shape: Sizes, with 1 where the size is dynamic.
        signature: Sizes, with -1 where the size is dynamic.
        dtype: `float32`, `int8`, ... as numpy names it; `int4`, `bfloat16`, `string`, ... else.
        data: The constant, a read-only view of the file in the tensor's shape; None for
            activations, variables and empty tensors. `int4`, `uint4` and `int2` are unpacked
            to (u)int8; `bfloat16` and `float8_*` are given as their bits (uint16, uint8);
            `string` as the file's bytes, uint8 [n].
        quantization: None where the tensor is not quantized.
        minimum: Calibration statistic, None if the file has none.
        maximum: Calibration statistic, None if the file has none.
        variable: Whether it keeps its value from one run to the next.
        sparse: Whether the file stores only the blocks that are not all zero; `data` is dense.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    dtype: str
    data: NDArray[Any] | None
    quantization: Quantization | None
    minimum: float | None
    maximum: float | None
    variable: bool
    sparse: bool = False

    @property
    def elements(self) -> int:
        """Count of values; 1 for a scalar."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes in memory, packed as the file packs them; 0 where the dtype has no fixed size."""
        if self.dtype == "string" and self.data is not None:
            return int(self.data.nbytes)
        return (self.elements * DTYPES[self.dtype].bits + 7) // 8

    @property
    def dynamic(self) -> bool:
        """Whether a size is known only when the model runs."""
        return -1 in self.signature


@dataclass(frozen=True, eq=False)
class Op:
    """An operator.

    Attributes:
        index: Its place in `Graph.ops`, which is the order of execution.
        name: `CONV_2D`, ... as the schema names builtin operators, or the custom operator's code.
        version: Of the operator, as the converter asks for.
        inputs: Tensor indices; -1 where an optional input is absent.
        outputs: Tensor indices.
        options: The schema's options under snake_case names; enumerations by name, such as
            `padding="SAME"`, `fused_activation_function="RELU6"`.
        custom: Whether it is no builtin operator.
    """

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]
    custom: bool


@dataclass(frozen=True, eq=False)
class Graph:
    """A model, or one of its subgraphs.

    Attributes:
        name: Of the subgraph; often `main` or empty.
        tensors: All of them, constants too.
        ops: In the order of execution.
        inputs: Tensor indices.
        outputs: Tensor indices.
        subgraphs: The other subgraphs of the file (of the main graph only): the bodies of `IF`,
            `WHILE`, `CALL_ONCE`. Subgraph number i of the options is `subgraphs[i - 1]`.
        description: What the converter wrote about the file.
    """

    name: str
    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    subgraphs: tuple[Graph, ...] = ()
    description: str = ""

    def input_tensors(self) -> tuple[Tensor, ...]:
        """The inputs, in order."""
        return tuple(self.tensors[index] for index in self.inputs)

    def output_tensors(self) -> tuple[Tensor, ...]:
        """The outputs, in order."""
        return tuple(self.tensors[index] for index in self.outputs)

    def title(self, op: Op) -> str:
        """How a message names an operator: its place, kind and first output."""
        outputs = [index for index in op.outputs if 0 <= index < len(self.tensors)]
        name = f" '{self.tensors[outputs[0]].name}'" if outputs else ""
        return f"operator {op.index} {op.name}{name}"
