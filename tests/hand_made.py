"""Flatbuffers made by hand, small enough to check by head; no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.graph.edit import pack
from edgekit.graph.schema import generated


@dataclass(frozen=True)
class T:
    """A tensor: constant where it has data, quantized where it has a scale."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "FLOAT32"
    data: np.ndarray | None = None
    scale: float | tuple[float, ...] | None = None
    zero: int = 0
    axis: int = 0


@dataclass(frozen=True)
class O:  # noqa: E742
    """An op: builtin name, or `CUSTOM` with a code; options as (union name, attributes)."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: tuple[str, dict[str, Any]] | None = None
    custom: str | None = None


def flatbuffer(
    tensors: list[T], ops: list[O], inputs: tuple[int, ...], outputs: tuple[int, ...]
) -> bytes:
    """A .tflite of one subgraph."""
    schema = generated()
    model = schema.ModelT()
    model.version = 3
    model.buffers = [schema.BufferT()]
    model.operatorCodes = []
    graph = schema.SubGraphT()
    graph.tensors = [_tensor(schema, model, tensor) for tensor in tensors]
    graph.operators = [_op(schema, model, op) for op in ops]
    graph.inputs, graph.outputs = list(inputs), list(outputs)
    model.subgraphs = [graph]
    return pack(model)


def _tensor(schema: Any, model: Any, given: T) -> Any:
    tensor = schema.TensorT()
    tensor.name = given.name.encode()
    tensor.shape = list(given.shape)
    tensor.type = getattr(schema.TensorType, given.dtype)
    tensor.buffer = 0
    if given.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(given.data).tobytes(), np.uint8)
        tensor.buffer = len(model.buffers)
        model.buffers.append(buffer)
    if given.scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        scales = np.atleast_1d(np.asarray(given.scale, np.float32))
        tensor.quantization.scale = scales
        tensor.quantization.zeroPoint = np.full(scales.size, given.zero, np.int64)
        tensor.quantization.quantizedDimension = given.axis
    return tensor


def _op(schema: Any, model: Any, given: O) -> Any:
    code = schema.OperatorCodeT()
    number = getattr(schema.BuiltinOperator, given.name)
    code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), 1
    code.customCode = given.custom.encode() if given.custom else None
    if given.name == "FULLY_CONNECTED":
        code.version = 4
    op = schema.OperatorT()
    op.opcodeIndex = len(model.operatorCodes)
    model.operatorCodes.append(code)
    op.inputs, op.outputs = list(given.inputs), list(given.outputs)
    if given.options:
        union, values = given.options
        op.builtinOptionsType = getattr(schema.BuiltinOptions, union)
        op.builtinOptions = getattr(schema, f"{union}T")()
        for key, value in values.items():
            setattr(op.builtinOptions, key, value)
    return op


def dense(weights: list[np.ndarray], outputs: tuple[int, ...] = (-1,)) -> bytes:
    """Float layers one after another without bias; `weights[k]` is [n out, n in]."""
    width = weights[0].shape[1]
    tensors = [T("x", (1, width))]
    ops, at = [], 0
    for number, matrix in enumerate(weights):
        tensors.append(T(f"w{number}", matrix.shape, data=matrix.astype(np.float32)))
        tensors.append(T(f"y{number}", (1, matrix.shape[0])))
        ops.append(O("FULLY_CONNECTED", (at, len(tensors) - 2, -1), (len(tensors) - 1,), FC))
        at = len(tensors) - 1
    ends = tuple(ops[number].outputs[0] for number in outputs)
    return flatbuffer(tensors, ops, (0,), ends)


def dense_int8(
    weights: list[np.ndarray],
    scales: list[float],
    weight_scales: list[float] | None = None,
    outputs: tuple[int, ...] = (-1,),
) -> bytes:
    """`dense` in int8: `scales` of the input and of each output, zero points 0."""
    width = weights[0].shape[1]
    tensors = [T("x", (1, width), "INT8", scale=scales[0])]
    ops, at = [], 0
    for number, matrix in enumerate(weights):
        step = weight_scales[number] if weight_scales else float(np.abs(matrix).max() / 127)
        data = np.clip(np.round(matrix / step), -127, 127).astype(np.int8)
        tensors.append(T(f"w{number}", matrix.shape, "INT8", data, step))
        tensors.append(T(f"y{number}", (1, matrix.shape[0]), "INT8", scale=scales[number + 1]))
        ops.append(O("FULLY_CONNECTED", (at, len(tensors) - 2, -1), (len(tensors) - 1,), FC))
        at = len(tensors) - 1
    ends = tuple(ops[number].outputs[0] for number in outputs)
    return flatbuffer(tensors, ops, (0,), ends)


FC = ("FullyConnectedOptions", {})
