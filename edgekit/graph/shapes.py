"""Do an operator's options and shapes fit together?

TFLite Micro takes the output shapes of the file as they are, so what contradicts the operator's
definition is refused here. Operators without a rule, and tensors of dynamic size, pass.
Source of the rules: tensorflow/lite/kernels/*.cc, `Prepare`, and kernels/padding.h.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from edgekit.graph.flatbuffer import Malformed
from edgekit.graph.graph import Graph, Op, Tensor

Shape = tuple[int, ...]


def check_shapes(graph: Graph, op: Op) -> None:
    """Check one operator whose tensor indices and options (`check_needs`) are sound.

    Raises:
        Malformed: Naming the operator and what contradicts what.
    """
    rule = None if op.custom else _RULES.get(op.name)
    if rule is None:
        return
    inputs = [graph.tensors[index] if index >= 0 else None for index in op.inputs]
    outputs = [graph.tensors[index] for index in op.outputs]
    needed = _NEEDED.get(op.name, 1)
    if len(inputs) < needed or None in inputs[:needed] or not outputs:
        raise Malformed(f"{graph.title(op)} has too few inputs or outputs")
    present = [tensor for tensor in inputs if tensor is not None]
    if not _settled(op, [*present, *outputs]):
        return
    wrong = rule(op, present, outputs)
    if wrong:
        raise Malformed(f"{graph.title(op)}: {wrong}")


def _settled(op: Op, tensors: list[Tensor]) -> bool:
    """Whether the stored shapes belong together although the file calls some sizes dynamic.

    A dynamic size is stored as 1. That is the batch where the first axis alone is dynamic, and
    holds through operators that keep that axis; a reshape may have merged it with others.
    """
    if any(-1 in tensor.signature[1:] for tensor in tensors):
        return False
    flat = op.name == "FULLY_CONNECTED" and len(tensors[0].shape) == len(tensors[-1].shape) == 2
    return flat or op.name in _KEEPS_BATCH or not any(tensor.dynamic for tensor in tensors)


def windows(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Positions of a window along one axis (kernels/padding.h, ComputeOutSize)."""
    if padding == "SAME":
        return -(-size // stride)
    return (size - (kernel - 1) * dilation - 1 + stride) // stride


def _conv(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    source, weights, target = inputs[0].shape, inputs[1].shape, outputs[0].shape
    if not len(source) == len(weights) == len(target) == 4 or 0 in (*source, *weights):
        return f"input {list(source)}, weights {list(weights)}, output {list(target)}"
    depthwise = op.name == "DEPTHWISE_CONV_2D"
    channels = weights[3] if depthwise else weights[0]
    if (channels % source[3] if depthwise else source[3] % weights[3]) or (
        not depthwise and channels % (source[3] // weights[3])
    ):
        return f"weights {list(weights)} do not fit {source[3]} input channels"
    if len(inputs) > 2 and inputs[2].elements != channels:
        return f"{inputs[2].elements} biases for {channels} channels"
    return _compare((source[0], *_spatial(op, source, weights[1:3]), channels), target)


def _pool(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    source, target = inputs[0].shape, outputs[0].shape
    kernel = (op.options["filter_height"], op.options["filter_width"])
    if len(source) != 4:
        return f"a window over {list(source)}"
    return _compare((source[0], *_spatial(op, source, kernel), source[3]), target)


def _spatial(op: Op, source: Shape, kernel: Shape) -> Shape:
    """Output height and width; `check_needs` has seen to it that strides are not zero."""
    strides = (op.options["stride_h"], op.options["stride_w"])
    dilations = (op.options.get("dilation_h_factor", 1), op.options.get("dilation_w_factor", 1))
    return tuple(
        windows(
            source[axis + 1], kernel[axis], strides[axis], dilations[axis], op.options["padding"]
        )
        for axis in (0, 1)
    )


def _transpose_conv(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    weights, source, target = inputs[1].shape, inputs[2].shape, outputs[0].shape
    if not len(weights) == len(source) == len(target) == 4 or 0 in (*source, *weights):
        return f"input {list(source)}, weights {list(weights)}, output {list(target)}"
    if (weights[3], weights[0], source[0]) != (source[3], target[3], target[0]):
        return f"weights {list(weights)} do not fit {list(source)} -> {list(target)}"
    return _compare((source[0], *_spatial(op, target, weights[1:3]), source[3]), source)


def _fully_connected(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    weights, target = inputs[1].shape, outputs[0]
    if len(weights) != 2 or 0 in weights or inputs[0].elements % weights[1]:
        return f"weights {list(weights)} do not fit an input of {list(inputs[0].shape)}"
    if target.elements != inputs[0].elements // weights[1] * weights[0]:
        return f"weights {list(weights)} do not give an output of {list(target.shape)}"
    biases = inputs[2].elements if len(inputs) > 2 and len(op.inputs) > 2 else weights[0]
    return "" if biases == weights[0] else f"{biases} biases for {weights[0]} units"


def _same_elements(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    if inputs[0].elements == outputs[0].elements:
        return ""
    return f"{list(inputs[0].shape)} cannot become {list(outputs[0].shape)}"


def _same_shape(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    return _compare(inputs[0].shape, outputs[0].shape)


def _broadcast(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    try:
        expected = np.broadcast_shapes(inputs[0].shape, inputs[1].shape)
    except ValueError:
        return f"{list(inputs[0].shape)} and {list(inputs[1].shape)} do not fit together"
    return _compare(expected, outputs[0].shape)


def _concatenation(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    shapes, axis = [tensor.shape for tensor in inputs], op.options.get("axis", 0)
    rank = len(shapes[0])
    if not -rank <= axis < rank or any(len(shape) != rank for shape in shapes):
        return f"{[list(shape) for shape in shapes]} cannot be joined on axis {axis}"
    axis %= rank
    rests = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    if len(rests) > 1:
        return f"{[list(shape) for shape in shapes]} cannot be joined on axis {axis}"
    total = sum(shape[axis] for shape in shapes)
    return _compare((*shapes[0][:axis], total, *shapes[0][axis + 1 :]), outputs[0].shape)


def _transpose(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    order = inputs[1].data
    if order is None:
        return _same_elements(op, inputs, outputs)
    axes, shape = order.reshape(-1).tolist(), inputs[0].shape
    if sorted(axis % max(1, len(shape)) for axis in axes) != list(range(len(shape))):
        return f"{axes} is no order of {len(shape)} axes"
    return _compare(tuple(shape[axis] for axis in axes), outputs[0].shape)


def _pad(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    amounts, shape = inputs[1].data, inputs[0].shape
    if inputs[1].shape != (len(shape), 2):
        return f"paddings {list(inputs[1].shape)} for an input of {list(shape)}"
    if amounts is None:
        return ""
    if amounts.min(initial=0) < 0:
        return "a negative padding"
    sums = amounts.sum(axis=1).tolist()
    padded = tuple(size + extra for size, extra in zip(shape, sums, strict=True))
    return _compare(padded, outputs[0].shape)


def _reduce(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    axes, shape = inputs[1].data, inputs[0].shape
    if axes is None:
        return ""
    listed = axes.reshape(-1).tolist()
    if any(not -len(shape) <= axis < len(shape) for axis in listed):
        return f"axes {listed} of an input of {list(shape)}"
    gone = {axis % len(shape) for axis in listed}
    left = math.prod(size for axis, size in enumerate(shape) if axis not in gone)
    return "" if left == outputs[0].elements else f"{list(shape)} reduced to {outputs[0].shape}"


def _split(op: Op, inputs: list[Tensor], outputs: list[Tensor]) -> str:
    count, source = op.options.get("num_splits", 0), inputs[1 if op.name == "SPLIT" else 0]
    if count != len(outputs):
        return f"{count} parts but {len(outputs)} outputs"
    total = sum(tensor.elements for tensor in outputs)
    return "" if total == source.elements else f"{list(source.shape)} into {total} elements"


def _compare(expected: Shape, found: Shape) -> str:
    return "" if expected == found else f"output is {list(found)}, should be {list(expected)}"


Rule = Callable[[Op, list[Tensor], list[Tensor]], str]
_GROUPS: tuple[tuple[Rule, int, str], ...] = (
    (_conv, 2, "CONV_2D DEPTHWISE_CONV_2D"),
    (_transpose_conv, 3, "TRANSPOSE_CONV"),
    (_pool, 1, "AVERAGE_POOL_2D MAX_POOL_2D L2_POOL_2D"),
    (_fully_connected, 2, "FULLY_CONNECTED"),
    (_same_elements, 1, "RESHAPE SQUEEZE EXPAND_DIMS SPACE_TO_DEPTH DEPTH_TO_SPACE"),
    (
        _same_shape,
        1,
        "RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LEAKY_RELU ELU GELU HARD_SWISH LOGISTIC TANH SOFTMAX "
        "LOG_SOFTMAX ABS NEG EXP LOG SQRT RSQRT SQUARE SIN COS FLOOR CEIL ROUND CAST QUANTIZE "
        "DEQUANTIZE FAKE_QUANT L2_NORMALIZATION LOGICAL_NOT ZEROS_LIKE",
    ),
    (
        _broadcast,
        2,
        "ADD SUB MUL DIV MAXIMUM MINIMUM SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD POW EQUAL "
        "NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND LOGICAL_OR PRELU",
    ),
    (_concatenation, 1, "CONCATENATION"),
    (_transpose, 2, "TRANSPOSE"),
    (_pad, 2, "PAD PADV2"),
    (_reduce, 2, "MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_ANY REDUCE_ALL"),
    (_split, 2, "SPLIT SPLIT_V"),
)
_RULES = {name: rule for rule, _, listed in _GROUPS for name in listed.split()}
_NEEDED = {name: needed for _, needed, listed in _GROUPS for name in listed.split()}
_KEEPS_BATCH = {name for name, rule in _RULES.items() if rule in (_conv, _pool, _same_shape)}
