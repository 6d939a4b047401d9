"""What the weights of a flatbuffer hold, layer by layer: zeros, distinct values, bytes by encoding.

The encodings are those of `evaluate.encodings`, whether or not a runtime reads them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from edgekit.bridge.names import layer_names
from edgekit.evaluate import encodings
from edgekit.graph.graph import Graph, Op, Tensor
from edgekit.graph.schema import DTYPES

_UNPACKERS = ("DEQUANTIZE", "DENSIFY")
_GATES = tuple(range(1, 9))  # kernels/lstm_shared.h: input and recurrent matrices
_KERNELS: dict[str, tuple[tuple[int, ...], int]] = {
    "CONV_2D": ((1,), 0),
    "DEPTHWISE_CONV_2D": ((1,), 3),
    "FULLY_CONNECTED": ((1,), 0),
    "TRANSPOSE_CONV": ((1,), 0),
    "CONV_3D": ((1,), 4),
    "BATCH_MATMUL": ((0, 1), -1),
    "LSTM": (_GATES, 0),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (_GATES, 0),
    "BIDIRECTIONAL_SEQUENCE_LSTM": ((*_GATES, *range(18, 26)), 0),
    "UNIDIRECTIONAL_SEQUENCE_RNN": ((1, 2), 0),
    "RNN": ((1, 2), 0),
    "SVDF": ((1, 2), 0),
    "GATHER": ((0,), -1),
    "EMBEDDING_LOOKUP": ((1,), -1),
}
"""Inputs that hold weights, and the axis of their output channels (schema and kernels of TFLite):
FULLY_CONNECTED is [out, in], CONV_2D [out, h, w, in], DEPTHWISE_CONV_2D [1, h, w, in * m]."""


@dataclass(frozen=True, eq=False)
class Weights:
    """A constant that an operator multiplies with.

    Attributes:
        op: The first operator that reads it.
        place: Which input of `op`.
        tensor: The constant, what DEQUANTIZE or DENSIFY reads where one lies between.
        axis: Of the output channels.
        readers: Operators that multiply with these very bytes, through this tensor or another.
    """

    op: Op
    place: int
    tensor: Tensor
    axis: int
    readers: int = 1

    @property
    def values(self) -> np.ndarray:
        """As stored, in the shape of the tensor."""
        assert self.tensor.data is not None
        return self.tensor.data

    @property
    def zeros(self) -> np.ndarray:
        """Bool, shape of `values`: where the real value is zero."""
        quantization = self.tensor.quantization
        if quantization is None or quantization.block or not quantization.zero_point.any():
            return np.asarray(self.values == 0)
        shape = [1] * self.values.ndim
        shape[quantization.axis] = -1
        return np.asarray(self.values == quantization.zero_point.reshape(shape))

    def by_channel(self, values: np.ndarray) -> np.ndarray:
        """`values` (of the tensor's shape) as [output channels, the rest]."""
        channels = values.shape[self.axis]
        return np.moveaxis(values, self.axis, 0).reshape(channels, -1)


@dataclass(frozen=True)
class Kernel:
    """A kernel in figures.

    Attributes:
        layer: Name, as `bridge.names.layer_names` has it.
        op: Kind of operator.
        tensor: Index of the constant.
        dtype: Of the stored values.
        elements: Count of weights.
        zeros: Of them, how many are zero.
        distinct: Different values in the whole kernel.
        distinct_channel: The most different values in one output channel.
        dense: Bytes, every value stored.
        csr: Bytes as CSR.
        code_book: Bytes with a code book.
        sparse: Whether the file stores it sparse.
    """

    layer: str
    op: str
    tensor: int
    dtype: str
    elements: int
    zeros: int
    distinct: int
    distinct_channel: int
    dense: int
    csr: int
    code_book: int
    sparse: bool = False

    @property
    def best(self) -> tuple[str, int]:
        """The smallest encoding, `dense`, `csr` or `code_book`, and its bytes."""
        sizes = {name: getattr(self, name) for name in ("dense", "csr", "code_book")}
        name = min(sizes, key=lambda name: sizes[name])
        return name, sizes[name]

    def to_json(self) -> dict[str, Any]:
        """The kernel as a report stores it."""
        name, size = self.best
        return {**asdict(self), "best": {"encoding": name, "bytes": size}}


@dataclass(frozen=True)
class Totals:
    """All kernels of a model together.

    Attributes:
        elements: Count of weights; biases are not among them.
        zeros: Of them, how many are zero.
        distinct: The most different values in one kernel.
        distinct_channel: The most different values in one output channel.
        entries: Different values, added up over the kernels: the length of all code books.
        dense: Bytes, every value stored.
        csr: Bytes as CSR.
        code_book: Bytes with code books.
        best: Bytes, each kernel in its smallest encoding.
        sparse: Whether the file stores a kernel sparse.
    """

    elements: int = 0
    zeros: int = 0
    distinct: int = 0
    distinct_channel: int = 0
    entries: int = 0
    dense: int = 0
    csr: int = 0
    code_book: int = 0
    best: int = 0
    sparse: bool = False

    @property
    def sparsity(self) -> float:
        """Share of zeros, 0..1."""
        return self.zeros / self.elements if self.elements else 0.0


def find(graph: Graph) -> tuple[Weights, ...]:
    """The constants that the main graph's operators multiply with, each once, in their order."""
    makers = {index: op for op in graph.ops for index in op.outputs}
    found: dict[int, Weights] = {}
    readers: Counter[int] = Counter()
    for op in graph.ops:
        for weights in _of(graph, op, makers):
            found.setdefault(weights.tensor.index, weights)
            readers[weights.values.ctypes.data] += 1
    return tuple(replace(w, readers=readers[w.values.ctypes.data]) for w in found.values())


def kernels(graph: Graph) -> tuple[Kernel, ...]:
    """Figures of every kernel of the main graph, in order of execution; any number format."""
    names = layer_names(graph)
    return tuple(_weigh(weights, names[weights.op.index]) for weights in find(graph))


def totals(each: Iterable[Kernel]) -> Totals:
    """The figures of several kernels together."""
    listed = list(each)

    def sum_of(name: str) -> int:
        return sum(getattr(kernel, name) for kernel in listed)

    return Totals(
        elements=sum_of("elements"),
        zeros=sum_of("zeros"),
        distinct=max((kernel.distinct for kernel in listed), default=0),
        distinct_channel=max((kernel.distinct_channel for kernel in listed), default=0),
        entries=sum_of("distinct"),
        dense=sum_of("dense"),
        csr=sum_of("csr"),
        code_book=sum_of("code_book"),
        best=sum(kernel.best[1] for kernel in listed),
        sparse=any(kernel.sparse for kernel in listed),
    )


def _of(graph: Graph, op: Op, makers: dict[int, Op]) -> Iterator[Weights]:
    places, axis = _KERNELS.get(op.name, ((), 0))
    for place in places:
        index = op.inputs[place] if place < len(op.inputs) else -1
        while (maker := makers.get(index)) is not None and maker.name in _UNPACKERS:
            index = maker.inputs[0]
        tensor = graph.tensors[index] if index >= 0 else None
        if tensor is not None and tensor.data is not None and _multiplied(tensor):
            yield Weights(op, place, tensor, _axis(op, place, axis) % len(tensor.shape))


def _multiplied(tensor: Tensor) -> bool:
    """Matrices of real values: a GATHER may read a table of shapes as well."""
    real = tensor.dtype.startswith(("float", "bfloat")) or tensor.quantization is not None
    return real and len(tensor.shape) > 1 and tensor.elements > 0


def _axis(op: Op, place: int, axis: int) -> int:
    """BATCH_MATMUL may transpose a side; its channels are the left's rows, the right's columns."""
    if op.name != "BATCH_MATMUL":
        return axis
    turned = bool(op.options.get("adj_x" if place == 0 else "adj_y"))
    return -2 if turned == bool(place) else -1


def _weigh(weights: Weights, layer: str) -> Kernel:
    rows = weights.by_channel(weights.values)
    zeros = weights.by_channel(weights.zeros)
    bits = DTYPES[weights.tensor.dtype].bits
    in_tensor, in_channel = (
        int(encodings.distinct(rows.reshape(1, -1))[0]),
        int(encodings.distinct(rows).max()),
    )
    return Kernel(
        layer=layer,
        op=weights.op.name,
        tensor=weights.tensor.index,
        dtype=weights.tensor.dtype,
        elements=rows.size,
        zeros=int(zeros.sum()),
        distinct=in_tensor,
        distinct_channel=in_channel,
        dense=encodings.dense(rows.size, bits),
        csr=encodings.csr(~zeros, bits),
        code_book=encodings.code_book(rows, bits),
        sparse=weights.tensor.sparse,
    )
