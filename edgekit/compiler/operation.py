"""The contract of an operation, and how to write the next one.

An operation is a folder of `kernels/` with the file `<name>.py` (the host twin) and `<name>.h` (the
device twin: static functions in C99). `<name>_thumb2.h`, `<name>_dsp.h` and `<name>_mve.h`, where
they exist, replace `<name>.h` on cores with these instructions; whatever another header of
`kernels/` includes is found in the same way. The host twin defines

    OPERATORS = ("CONV_2D",)              the operators of a model that it lowers
    def lower(call: Call) -> Operation    what one of them computes; `Unsupported` where it cannot

and a frozen dataclass with the methods of `Operation`. The constant operands of an operator belong
to the operation; its other operands are the inputs of the layer, in the model's order. Variables
(the state of an LSTM) are new for each run, as they are after a reset of TensorFlow Lite Micro, so
they are working memory of the operation.

The numbers are those of TensorFlow Lite Micro's reference kernels, bit for bit: `run` is tested
against the `tflite-micro` wheel, the C code against `run`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.graph.graph import Graph, Op, Tensor

if TYPE_CHECKING:
    from edgekit.compiler.emission import Emission


IN_PLACE = -1
"""An overlap: output and input may begin at the same byte; else they share none."""


class Unsupported(Exception):
    """What the compiler cannot do with an operator: the reason, in a few words."""


class Operation(Protocol):
    """What a layer computes, constants included."""

    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        ...

    def scratch(self, core: Core) -> int:
        """Bytes of working memory that the device twin is given, aligned to 8."""
        ...

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """How near the output may be to each input in memory.

        For each input the smallest (start of input - start of output) in bytes at which the device
        twin has read what it needs before it is overwritten: 0 allows work in place; `IN_PLACE`
        that and nothing else; None: they may share no byte.
        """
        ...

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin: outputs for inputs, in the shapes of the model."""
        ...

    def emit(self, core: Core, to: Emission) -> str:
        """Add constants and kernels to `to`, and return the statements of the layer's function."""
        ...


@runtime_checkable
class Channelwise(Protocol):
    """An operation that keeps the channels of its inputs (their last axis) apart.

    An operation with these methods computes channel c of the output from channel c of each input
    and nothing else (a depthwise convolution: the same number of outputs from each).
    """

    def sees(self) -> int:
        """How many channels it takes an input to have; 0: it works on any number of values."""
        ...

    def take(self, kept: NDArray[np.bool_]) -> Operation:
        """The same on some of the channels, bool [channels]."""
        ...


@dataclass(frozen=True, eq=False)
class Call:
    """An operator of a model, as `lower` is given it.

    Attributes:
        graph: The model.
        op: The operator.
        result: Which of its outputs is to be computed; an operator of several is given once for
            each that is read.
    """

    graph: Graph
    op: Op
    result: int = 0

    def option(self, name: str, default: Any = None) -> Any:
        """An option of the operator; files may leave them out."""
        return self.op.options.get(name, default)

    def has(self, place: int) -> bool:
        """Whether the optional operand number `place` is there."""
        return place < len(self.op.inputs) and self.op.inputs[place] >= 0

    def input(self, place: int) -> Tensor:
        """Operand number `place`.

        Raises:
            Unsupported: There is none.
        """
        if not self.has(place):
            raise Unsupported(f"its operand {place} is missing")
        return self.graph.tensors[self.op.inputs[place]]

    @property
    def output(self) -> Tensor:
        """The output that is to be computed."""
        return self.graph.tensors[self.op.outputs[self.result]]

    def constant(self, place: int) -> NDArray[Any]:
        """The data of operand number `place`.

        Raises:
            Unsupported: It is computed by the model.
        """
        tensor = self.input(place)
        if tensor.data is None:
            raise Unsupported(f"its operand '{tensor.name}' is no constant")
        return tensor.data

    def integers(self, place: int) -> list[int]:
        """The integers that operand number `place` holds: axes, sizes, places.

        Raises:
            Unsupported: It is computed by the model, or holds no integers.
        """
        values = self.constant(place)
        if values.dtype.kind not in "iu":
            raise Unsupported(f"its operand '{self.input(place).name}' is {values.dtype.name}")
        return [int(value) for value in values.ravel()]

    def bias(self, place: int, channels: int) -> NDArray[np.int32]:
        """The biases of operand number `place`, int32 [channels]; 0 where there is none.

        Raises:
            Unsupported: They are computed by the model, or no int32.
        """
        if not self.has(place):
            return np.zeros(channels, np.int32)
        values = self.constant(place)
        if values.dtype != np.int32 or values.size != channels:
            raise Unsupported(f"its biases are {values.dtype.name} {values.shape}")
        return values.ravel()

    def activation(self) -> str:
        """The fused activation."""
        return str(self.option("fused_activation_function", "NONE"))

    def int8(self, *tensors: Tensor) -> None:
        """Refuse what is not int8 with one scale for the whole tensor."""
        for tensor in tensors:
            if tensor.dtype != "int8":
                raise Unsupported(f"'{tensor.name}' is {tensor.dtype}, not int8")
            if tensor.quantization is None or tensor.quantization.per_channel:
                raise Unsupported(f"'{tensor.name}' has no scale of its own")


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from the first; negative ones count from behind.

    Raises:
        Unsupported: There is none.
    """
    if not -rank <= axis < rank:
        raise Unsupported(f"axis {axis} of {rank}")
    return axis % rank


def scale_of(tensor: Tensor) -> float:
    """The float32 scale of a tensor that has one."""
    assert tensor.quantization is not None
    return float(tensor.quantization.scale[0])


def zero_of(tensor: Tensor) -> int:
    """The zero point of a tensor that has one."""
    assert tensor.quantization is not None
    return int(tensor.quantization.zero_point[0])


def variable_inputs(graph: Graph, op: Op) -> Sequence[int]:
    """Indices of the operands that the model computes, in order: no constants and no variables."""
    operands = [index for index in op.inputs if index >= 0]
    tensors = graph.tensors
    return [i for i in operands if tensors[i].data is None and not tensors[i].variable]
