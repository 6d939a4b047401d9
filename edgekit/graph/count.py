"""Parameters and multiply-accumulates of a graph."""

from __future__ import annotations

import math
from collections.abc import Callable

from edgekit.graph.check import called
from edgekit.graph.graph import Graph, Op, Tensor

_BIASED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "CONV_3D"}
_BIAS = 2


def parameters(graph: Graph) -> int:
    """Elements of constant weights and biases, in the main graph and its subgraphs.

    A constant counts where it is floating point or quantized, or is the bias of a layer. Shapes,
    axes, paddings and other plain integers do not.
    """
    return sum(_parameters(each) for each in (graph, *graph.subgraphs))


def macs(graph: Graph) -> int:
    """Multiply-accumulates of one inference: convolutions, dense layers, matmul, recurrent layers.

    The bodies of loops count once, of branches the dearer one; how often a loop runs is not in
    the file.
    """
    return sum(layer_macs(graph))


def layer_macs(graph: Graph) -> tuple[int, ...]:
    """Multiply-accumulates of every operator of the main graph, in order."""
    return tuple(_op_macs(graph, op, (graph, *graph.subgraphs)) for op in graph.ops)


def weight_bytes(graph: Graph) -> tuple[int, ...]:
    """Bytes of constants that each operator reads; a shared constant counts where first read."""
    seen: set[int] = set()
    sizes = []
    for op in graph.ops:
        fresh = {index for index in op.inputs if index >= 0} - seen
        seen |= fresh
        constants = [graph.tensors[index] for index in fresh]
        sizes.append(sum(each.nbytes for each in constants if each.data is not None))
    return tuple(sizes)


def _parameters(graph: Graph) -> int:
    biases = {op.inputs[_BIAS] for op in graph.ops if op.name in _BIASED and len(op.inputs) > _BIAS}
    return sum(
        tensor.elements
        for tensor in graph.tensors
        if tensor.data is not None
        and (
            tensor.quantization is not None
            or tensor.dtype.startswith(("float", "bfloat"))
            or tensor.index in biases
        )
    )


def _op_macs(graph: Graph, op: Op, graphs: tuple[Graph, ...]) -> int:
    targets = [
        sum(_op_macs(graphs[number], inner, graphs) for inner in graphs[number].ops)
        for number in called(op)
    ]
    if targets:
        return max(targets) if op.name in ("IF", "STABLEHLO_CASE") else sum(targets)
    rule = None if op.custom else _RULES.get(op.name)
    if rule is None or not op.outputs:
        return 0
    inputs = [graph.tensors[index] if index >= 0 else None for index in op.inputs]
    return rule(op, inputs, graph.tensors[op.outputs[0]])


Inputs = list[Tensor | None]


def _shape(inputs: Inputs, place: int) -> tuple[int, ...]:
    tensor = inputs[place] if place < len(inputs) else None
    return tensor.shape if tensor is not None else ()


def _conv(op: Op, inputs: Inputs, output: Tensor) -> int:
    return output.elements * math.prod(_shape(inputs, 1)[1:])


def _depthwise(op: Op, inputs: Inputs, output: Tensor) -> int:
    return output.elements * math.prod(_shape(inputs, 1)[1:3])


def _transpose_conv(op: Op, inputs: Inputs, output: Tensor) -> int:
    return math.prod(_shape(inputs, 2)) * math.prod(_shape(inputs, 1)[:3])


def _conv_3d(op: Op, inputs: Inputs, output: Tensor) -> int:
    return output.elements * math.prod(_shape(inputs, 1)[:4])


def _dense(op: Op, inputs: Inputs, output: Tensor) -> int:
    return output.elements * math.prod(_shape(inputs, 1)[-1:])


def _batch_matmul(op: Op, inputs: Inputs, output: Tensor) -> int:
    left = _shape(inputs, 0)
    if len(left) < 2:
        return 0
    return output.elements * (left[-2] if op.options.get("adj_x") else left[-1])


def _recurrent(first: int, last: int, projections: tuple[int, ...] = ()) -> Callable[..., int]:
    """Every weight of the inputs `first`..`last` and of `projections` is used once a time step."""

    def count(op: Op, inputs: Inputs, output: Tensor) -> int:
        steps: int = math.prod(_shape(inputs, 0)[:-1])
        places = (*range(first, last + 1), *projections)
        shapes = [_shape(inputs, place) for place in places]
        weights: int = sum(math.prod(shape) for shape in shapes if shape)
        return steps * weights

    return count


_RULES: dict[str, Callable[[Op, Inputs, Tensor], int]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transpose_conv,
    "CONV_3D": _conv_3d,
    "FULLY_CONNECTED": _dense,
    "BATCH_MATMUL": _batch_matmul,
    # Inputs as in kernels/lstm_shared.h: 1-8 matrices, 9-11 peepholes, 16 projection
    "LSTM": _recurrent(1, 11, (16,)),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _recurrent(1, 11, (16,)),
    # kernels/bidirectional_sequence_lstm.cc: forward 1-11 and 16, backward 18-28 and 33
    "BIDIRECTIONAL_SEQUENCE_LSTM": _recurrent(1, 11, (16, *range(18, 29), 33)),
    # kernels/svdf.cc: feature and time weights; kernels/unidirectional_sequence_rnn.cc
    "SVDF": _recurrent(1, 2),
    "RNN": _recurrent(1, 2),
    "UNIDIRECTIONAL_SEQUENCE_RNN": _recurrent(1, 2),
}
