"""What an operator cannot run without: options in their range, scales on quantized tensors.

Runtimes divide by strides and take scales without looking; TFLite Micro aborts the process.
Source: tensorflow/lite/core/api/flatbuffer_conversions.cc, the parsers; kernels/*.cc, `Prepare`.
"""

from __future__ import annotations

import math

from edgekit.graph.flatbuffer import Malformed
from edgekit.graph.graph import Graph, Op

_MAX = 2**15  # of a window, stride or dilation: far above any real one, its square fits an int32
_STRIDES = {"stride_h": 0, "stride_w": 0}
_DILATIONS = {"dilation_h_factor": 1, "dilation_w_factor": 1}
_WINDOW = {"filter_height": 0, "filter_width": 0}
# Options that must be at least 1, with the value a runtime takes where they are missing
_POSITIVE = {
    "CONV_2D": _STRIDES | _DILATIONS,
    "DEPTHWISE_CONV_2D": _STRIDES | _DILATIONS,
    "TRANSPOSE_CONV": _STRIDES,
    "AVERAGE_POOL_2D": _STRIDES | _WINDOW,
    "MAX_POOL_2D": _STRIDES | _WINDOW,
    "L2_POOL_2D": _STRIDES | _WINDOW,
    "SPACE_TO_DEPTH": {"block_size": 0},
    "DEPTH_TO_SPACE": {"block_size": 0},
}
_SCALED = {
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "TRANSPOSE_CONV",
    "FULLY_CONNECTED",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "SOFTMAX",
    "LOGISTIC",
    "TANH",
    "ADD",
    "SUB",
    "MUL",
    "QUANTIZE",
    "DEQUANTIZE",
}
_QUANTIZED = ("int4", "int8", "uint8", "int16")


def check_needs(graph: Graph, op: Op) -> None:
    """Check one operator whose tensor indices are sound.

    Raises:
        Malformed: Naming the operator and what it lacks.
    """
    if op.custom:
        return
    for name, default in _POSITIVE.get(op.name, {}).items():
        value = op.options.get(name, default)
        if not 1 <= value <= _MAX:
            raise Malformed(f"{graph.title(op)} has the impossible {name} {value}")
    if op.name in _SCALED:
        _check_scales(graph, op)
    if op.name == "SOFTMAX":
        _check_beta(graph, op)


def _check_scales(graph: Graph, op: Op) -> None:
    for index in (*op.inputs, *op.outputs):
        tensor = graph.tensors[index] if index >= 0 else None
        if tensor is not None and tensor.dtype in _QUANTIZED and tensor.quantization is None:
            raise Malformed(f"{graph.title(op)} uses '{tensor.name}', {tensor.dtype} without scale")


def _check_beta(graph: Graph, op: Op) -> None:
    """Fixed point kernels abort unless beta * scale * 2^26 > 1 (quantization_util.cc)."""
    beta = op.options.get("beta", 0.0)
    source = graph.tensors[op.inputs[0]] if op.inputs else None
    eight = source is not None and source.dtype in ("int8", "uint8") and source.quantization
    step = beta * float(eight.scale[0]) * 2**26 if eight else math.inf
    if not (math.isfinite(beta) and beta > 0 and step > 1):
        raise Malformed(f"{graph.title(op)} has the impossible beta {beta}")
