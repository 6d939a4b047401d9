"""Layers of a float flatbuffer that become two in a row, perhaps with a third beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.names import layer_names
from edgekit.bridge.weights import KINDS
from edgekit.graph import edit, rewire
from edgekit.graph.read import read
from edgekit.graph.schema import generated
from edgekit.structure.depthwise import depthwise, stored_depthwise
from edgekit.structure.shrink import own

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Parts:
    """What a CONV_2D or FULLY_CONNECTED becomes.

    Attributes:
        first: [height, width, inputs, rank]; without activation.
        second: [height, width, rank, outputs]; has the activation.
        first_bias: [rank].
        bias: [outputs], of the second.
        beside: [height, width, inputs, outputs], added to what the second gives; the sum
            then has the activation. None for nothing beside.
        depthwise: Whether each channel of the first sees one input, as many one after the other.
    """

    first: Array
    second: Array
    first_bias: Array
    bias: Array
    beside: Array | None = None
    depthwise: bool = False


@dataclass(frozen=True)
class Made:
    """Tensor indices of the kernels that a layer became; -1 for what there is not."""

    first: int
    second: int
    beside: int = -1


def split(data: bytes, parts: Mapping[int, Parts]) -> tuple[bytes, dict[int, Made]]:
    """The flatbuffer with layers in parts.

    Tensors keep their indices, and new ones come behind them; operators move. The layer that has
    the bias keeps the name of what it was part of, the first is `NAME_first`, or
    `NAME_depthwise`.

    Args:
        data: Float.
        parts: By the index of the operator.

    Returns:
        The flatbuffer, and by the old index of each operator what it became.
    """
    names, model = layer_names(read(data)), edit.unpack(data)
    made = {}
    for number in sorted(parts, reverse=True):
        made[number] = _Splitting(model, number, names[number]).run(parts[number])
    return edit.pack(model), made


class _Splitting:
    """The work on one operator."""

    def __init__(self, model: Any, number: int, name: str) -> None:
        self._model, self._graph = model, model.subgraphs[0]
        self._number, self._name = number, name
        self._op = self._graph.operators[number]
        self._dense = edit.operator_name(model, self._op) == "FULLY_CONNECTED"
        self._kind = KINDS[edit.operator_name(model, self._op)]

    def run(self, parts: Parts) -> Made:
        x, output = int(self._op.inputs[0]), int(self._op.outputs[0])
        bias = self._bias(parts.bias)
        name = "depthwise" if parts.depthwise else "first"
        leading = self._constant(parts.first_bias.astype(np.float32), f"{self._name}_{name}/bias")
        first, second = copy(self._op), copy(self._op)
        self._tell(first, parts.first.shape, parts.second.shape, leads=True)
        self._tell(second, parts.second.shape, parts.first.shape, leads=False)
        thin = self._activation(name, self._between(parts, x, output))
        kernel = self._kernel(parts.first, f"{self._name}_{name}/kernel")
        if parts.depthwise:
            first = depthwise(self._model, first, parts.first)
            stored = stored_depthwise(parts.first)
            edit.set_constant(self._model, self._graph.tensors[kernel], stored)
        self._connect(first, (x, kernel, leading), thin)
        ops = [first, second]
        if parts.beside is None:
            last = own(self._model, [(self._number, self._kind.kernel)])
            self._store(last, parts.second)
            self._connect(second, (thin, last, bias), output)
            made = Made(kernel, last)
        else:
            made = Made(kernel, *self._beside(parts, second, thin, bias, ops))
        self._graph.operators[self._number : self._number + 1] = ops
        return made

    def _beside(
        self, parts: Parts, second: Any, thin: int, bias: int, ops: list[Any]
    ) -> tuple[int, int]:
        """Add the layer beside, and the sum, to `ops`; the kernels of the second, and beside."""
        x, output = int(self._op.inputs[0]), int(self._op.outputs[0])
        assert parts.beside is not None
        shape = self._graph.tensors[output].shape
        low, rest = self._activation("second", shape), self._activation("beside", shape)
        last = self._kernel(parts.second, f"{self._name}_second/kernel")
        self._connect(second, (thin, last, bias), low)
        active = int(second.builtinOptions.fusedActivationFunction)
        _fuse(second, 0)
        beside = copy(self._op)
        beside.builtinOptions = deepcopy(self._op.builtinOptions)
        _fuse(beside, 0)
        kernel = own(self._model, [(self._number, self._kind.kernel)])
        self._store(kernel, parts.beside)
        none = self._constant(np.zeros_like(parts.bias, np.float32), f"{self._name}_beside/bias")
        self._connect(beside, (x, kernel, none), rest)
        together = rewire.operator(
            self._model,
            "ADD",
            (low, rest),
            output,
            "AddOptions",
            fusedActivationFunction=active,
        )
        ops += [beside, together]
        return last, kernel

    def _bias(self, values: Array) -> int:
        """The tensor of the bias, this operator's own; a new one where it has none."""
        place, inputs = self._kind.bias, [int(index) for index in self._op.inputs]
        if len(inputs) <= place or inputs[place] < 0:
            return self._constant(values.astype(np.float32), f"{self._name}_bias")
        index = own(self._model, [(self._number, place)])
        edit.set_constant(self._model, self._graph.tensors[index], values.astype(np.float32))
        return index

    def _kernel(self, values: Array, name: str) -> int:
        index = self._constant(np.zeros(0, np.float32), name)
        self._store(index, values)
        return index

    def _constant(self, values: Array, name: str) -> int:
        like = self._graph.tensors[int(self._op.inputs[self._kind.kernel])]
        index = rewire.add_tensor(self._graph, like, values.shape, "")
        tensor = self._graph.tensors[index]
        tensor.name, tensor.buffer = name.encode(), len(self._model.buffers)
        self._model.buffers.append(generated().BufferT())
        edit.set_constant(self._model, tensor, values)
        return index

    def _activation(self, suffix: str, shape: Sequence[int]) -> int:
        like = self._graph.tensors[int(self._op.outputs[0])]
        index = rewire.add_tensor(self._graph, like, shape, "")
        self._graph.tensors[index].name = f"{self._name}_{suffix}".encode()
        return index

    def _store(self, index: int, values: Array) -> None:
        kernel = values.reshape(values.shape[2:]) if self._dense else values
        stored = self._kind.to_flatbuffer(kernel.astype(np.float32))
        edit.set_constant(self._model, self._graph.tensors[index], stored)

    def _connect(self, op: Any, inputs: Sequence[int], output: int) -> None:
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array([output], np.int32)

    def _tell(self, op: Any, mine: Sequence[int], other: Sequence[int], leads: bool) -> None:
        """Strides and dilations go with the part of the window that a kernel takes."""
        op.builtinOptions = options = deepcopy(self._op.builtinOptions)
        if leads:
            _fuse(op, 0)
        if self._dense:
            return
        for axis, (stride, dilation) in enumerate(
            (("strideH", "dilationHFactor"), ("strideW", "dilationWFactor"))
        ):
            if not _takes(mine[axis], other[axis], leads):
                setattr(options, stride, 1)
                setattr(options, dilation, 1)

    def _between(self, parts: Parts, x: int, output: int) -> list[int]:
        """The shape of what the first gives."""
        rank = parts.first.shape[-1]
        before, behind = (self._graph.tensors[index].shape for index in (x, output))
        if self._dense:
            return [*map(int, behind[:-1]), rank]
        places = [
            int((behind if _takes(mine, other, True) else before)[axis + 1])
            for axis, (mine, other) in enumerate(
                zip(parts.first.shape[:2], parts.second.shape[:2], strict=True)
            )
        ]
        return [int(behind[0]), *places, rank]


def _takes(mine: int, other: int, leads: bool) -> bool:
    """Whether a kernel takes the window along an axis; the first does where both are 1."""
    return mine > 1 or (other == 1 and leads)


def _fuse(op: Any, number: int) -> None:
    op.builtinOptions.fusedActivationFunction = number
