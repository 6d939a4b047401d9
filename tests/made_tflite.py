"""Small .tflite files made with the schema's object API: sound ones, and ones that are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

Edit = Callable[[Any], None]


@dataclass
class Made:
    """A tensor: `data` is an array, or the bytes as they are stored."""

    name: str
    shape: Sequence[int]
    dtype: str = "FLOAT32"
    data: np.ndarray | bytes | None = None
    scale: Sequence[float] = ()
    zero: Sequence[int] = ()
    axis: int = 0


@dataclass
class Step:
    """An operator: name in the schema (CUSTOM with `custom`), and its options as an object."""

    name: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: Any = None
    custom: str = ""
    version: int = 1


def build(
    tensors: Sequence[Made],
    steps: Sequence[Step],
    inputs: Sequence[int],
    outputs: Sequence[int],
    edit: Edit = lambda model: None,
) -> bytes:
    """A flatbuffer of one graph; `edit` may change the ModelT before it is packed."""
    model = schema.ModelT()
    model.version, model.description = 3, b"made in a test"
    model.buffers, model.operatorCodes = [schema.BufferT()], []
    model.subgraphs = [subgraph(model, tensors, steps, inputs, outputs)]
    model.metadata, model.signatureDefs = [], []
    edit(model)
    return pack(model)


def pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def unpack(data: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def subgraph(
    model: Any,
    tensors: Sequence[Made],
    steps: Sequence[Step],
    inputs: Sequence[int],
    outputs: Sequence[int],
) -> Any:
    graph = schema.SubGraphT()
    graph.name = b"main"
    graph.inputs, graph.outputs = list(inputs), list(outputs)
    graph.tensors = [_tensor(model, tensor) for tensor in tensors]
    graph.operators = [_operator(model, step) for step in steps]
    return graph


def _tensor(model: Any, made: Made) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape = made.name.encode(), list(made.shape)
    tensor.type = getattr(schema.TensorType, made.dtype)
    if made.data is not None:
        raw = made.data if isinstance(made.data, bytes) else made.data.tobytes()
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(raw, np.uint8)
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
    if made.scale:
        quantization = schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = list(made.scale), list(made.zero)
        quantization.quantizedDimension = made.axis
        tensor.quantization = quantization
    return tensor


def _operator(model: Any, step: Step) -> Any:
    number = getattr(schema.BuiltinOperator, step.name)
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode = number, min(number, 127)
    code.version, code.customCode = step.version, step.custom.encode() or None
    model.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = list(step.inputs), list(step.outputs)
    if step.options is not None:
        kind = type(step.options).__name__.removesuffix("T")
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        operator.builtinOptions = step.options
    return operator


def options(kind: str, **values: Any) -> Any:
    """An options object of the schema, fields in its own camelCase."""
    made = getattr(schema, f"{kind}OptionsT")()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def conv_options(**changes: Any) -> Any:
    defaults = {"strideW": 1, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 1}
    return options("Conv2D", **(defaults | changes))


def small_net(edit: Edit = lambda model: None) -> bytes:
    """An int8 net: 4x4x2 -> conv 3x3 to 3 channels -> reshape -> dense to 2 -> softmax."""
    rng = np.random.default_rng(0)
    tensors = [
        Made("in", (1, 4, 4, 2), "INT8", None, (0.5,), (-3,)),
        Made("w", (3, 3, 3, 2), "INT8", rng.integers(-127, 128, 54).astype(np.int8),
             (0.1, 0.2, 0.3), (0, 0, 0)),
        Made("b", (3,), "INT32", np.arange(3, dtype=np.int32), (0.05, 0.1, 0.15), (0, 0, 0)),
        Made("conv", (1, 4, 4, 3), "INT8", None, (0.25,), (4,)),
        Made("to", (2,), "INT32", np.array([1, 48], np.int32)),
        Made("flat", (1, 48), "INT8", None, (0.25,), (4,)),
        Made("w2", (2, 48), "INT8", rng.integers(-127, 128, 96).astype(np.int8), (0.1,), (0,)),
        Made("b2", (2,), "INT32", np.arange(2, dtype=np.int32), (0.025,), (0,)),
        Made("dense", (1, 2), "INT8", None, (1.5,), (0,)),
        Made("out", (1, 2), "INT8", None, (0.00390625,), (-128,)),
    ]  # fmt: skip
    relu6 = schema.ActivationFunctionType.RELU6
    steps = [
        Step("CONV_2D", (0, 1, 2), (3,), conv_options(fusedActivationFunction=relu6), version=3),
        Step("RESHAPE", (3, 4), (5,), options("Reshape", newShape=[1, 48])),
        Step("FULLY_CONNECTED", (5, 6, 7), (8,), options("FullyConnected"), version=4),
        Step("SOFTMAX", (8,), (9,), options("Softmax", beta=1.0), version=2),
    ]
    return build(tensors, steps, (0,), (9,), edit)


def one_op(name: str, tensors: Sequence[Made], made: Any = None, custom: str = "") -> bytes:
    """A model of one operator: all tensors but the last are its inputs, the last its output."""
    last = len(tensors) - 1
    free = [place for place, tensor in enumerate(tensors[:-1]) if tensor.data is None]
    return build(tensors, [Step(name, range(last), (last,), made, custom)], free, (last,))
