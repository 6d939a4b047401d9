"""float16: constants in half precision, each widened by a DEQUANTIZE op before its first use.

Written on the flatbuffer, so that every source takes one way; the result has the ops and tensors
that the TensorFlow converter writes with `supported_types = [tf.float16]`.
https://ai.google.dev/edge/litert/models/post_training_float16_quant
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit.graph import edit
from edgekit.graph.schema import generated
from edgekit.model import Model
from edgekit.problem import Problem
from edgekit.quantizers.base import Base, Quantized, QuantizeOptions, Rows

DEQUANTIZE_VERSION = 3  # the first with float16 inputs
HINT = ("reduced_precision_support", b"fp16accfp32")  # lets delegates compute in half precision
LARGEST = float(np.finfo(np.float16).max)


class Quantizer(Base):
    """Half-precision constants."""

    name = "float16"

    def apply(self, model: Model, rows: Rows, options: QuantizeOptions) -> Quantized:
        """Convert the constants; see `Base.quantize`. Calibration rows are not used."""
        edited = edit.unpack(model.tflite)
        kept = [name for graph in edited.subgraphs for name in _halve(edited, graph)]
        edit.drop_unused(edited)
        edit.drop_stale(edited)
        edit.set_metadata(edited, *HINT)
        return Quantized(edit.pack(edited), problems=_too_large(kept))


def _halve(model: Any, graph: Any) -> list[str]:
    """Convert the float constants that ops of `graph` read; the names of those too large."""
    kept, widened = [], []
    read = {int(i) for operator in graph.operators or [] for i in operator.inputs if i >= 0}
    for index in sorted(read):
        tensor = graph.tensors[index]
        values = edit.constant(model, tensor)
        if values is None or values.dtype != np.float32:
            continue
        if np.abs(values).max(initial=0) > LARGEST:
            kept.append(edit.tensor_name(tensor))
            continue
        widened.append(_widen(model, graph, index, values.astype(np.float16)))
    graph.operators = [*widened, *(graph.operators or [])]
    return kept


def _widen(model: Any, graph: Any, index: int, values: np.ndarray) -> Any:
    """Move the constant into a new float16 tensor; the old one becomes DEQUANTIZE's output."""
    schema = generated()
    tensor = graph.tensors[index]
    half = schema.TensorT()
    half.name = f"{edit.tensor_name(tensor)}_float16".encode()
    half.quantization = schema.QuantizationParametersT()
    half.hasRank, half.buffer = tensor.hasRank, tensor.buffer
    tensor.buffer = edit.EMPTY
    graph.tensors.append(half)
    edit.set_constant(model, half, values)
    operator = schema.OperatorT()
    operator.opcodeIndex = edit.operator_code(model, "DEQUANTIZE", DEQUANTIZE_VERSION)
    operator.inputs = np.array([len(graph.tensors) - 1], np.int32)
    operator.outputs = np.array([index], np.int32)
    return operator


def _too_large(names: list[str]) -> tuple[Problem, ...]:
    if not names:
        return ()
    return (
        Problem(
            "warning",
            "quantize",
            f"values above {LARGEST:.0f} do not fit float16, kept in float32: {', '.join(names)}",
            "fold large scales out of these weights, or build with --quantize float32",
        ),
    )
