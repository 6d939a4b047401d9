"""Give some activations of an int8 flatbuffer 16 bits: the ops around them run as 16x8.

An op with int16 activations takes int16 inputs *and* gives int16 outputs, so a wide tensor widens
the op that makes it and all that read it; QUANTIZE ops convert where those meet the int8 rest.
Weights stay int8, biases become int64. The new scale spreads the range of the int8 one over
65,535 levels around zero: a range that clips has to be widened before the model is quantized.
https://ai.google.dev/edge/litert/models/post_training_integer_quant_16x8
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np

from edgekit.errors import ModelError
from edgekit.graph import edit, rewire
from edgekit.graph.schema import generated
from edgekit.graph.tied import CONVERSIONS, tied, touched

VERSIONS = {
    **{"ADD": 3, "AVERAGE_POOL_2D": 3, "CONCATENATION": 3, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3},
    **{"FULLY_CONNECTED": 4, "LEAKY_RELU": 2, "LOGISTIC": 3, "MAX_POOL_2D": 3, "MEAN": 3},
    **{"MUL": 4, "PAD": 3, "QUANTIZE": 2, "RESHAPE": 1, "RESIZE_NEAREST_NEIGHBOR": 4},
    **{"SLICE": 4, "SOFTMAX": 3, "SQUEEZE": 1, "STRIDED_SLICE": 1, "SUB": 5, "TANH": 3},
    **{"TRANSPOSE": 5, "TRANSPOSE_CONV": 2},
}
"""Ops that run on int16 in LiteRT and in tflite-micro, and the version that does at the least.
Source: tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc; the tests run each."""

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_SMALL = {"LOGISTIC": 2.0**-15, "SOFTMAX": 2.0**-15, "TANH": 2.0**-15}  # what their kernels want
_LARGEST = 32767


def widen(data: bytes, names: Collection[str]) -> bytes:
    """An int8 flatbuffer in which these activations, and what is tied to them, are int16.

    Args:
        data: The int8 flatbuffer.
        names: Of activations. Inputs and outputs of the model keep their type.

    Raises:
        UsageError: There is no activation of a name.
        ModelError: An op around them has no kernel for 16 bits; it is named.
    """
    if not names:
        return data
    model = edit.unpack(data)
    _Surgery(model, tied(model, names)).operate()
    edit.drop_stale(model)
    rewire.drop_dead(model)
    return edit.pack(model)


class _Surgery:
    """A flatbuffer under edit, and the ops of it that are to run on int16."""

    def __init__(self, model: Any, wide: set[int]) -> None:
        self.model = model
        self.graph = model.subgraphs[0]
        self.region = [op for op in self.graph.operators if self._computes_on(op, wide)]
        self.twins: dict[int, int] = {}  # int8 tensor -> its int16 form
        self.finer: dict[int, float] = {}  # int16 tensor -> its scale in steps of the int8 one

    def operate(self) -> None:
        """Widen the ops, then convert where they meet the others."""
        for op in self.region:
            self._refuse(op)
        self._make_twins()
        for op in self.region:
            self._convert(op)
        for op in self.graph.operators:
            self._follow(op)
        self.graph.operators = list(self._joined())

    def _computes_on(self, op: Any, wide: set[int]) -> bool:
        integers = {index for index in touched(op) if self._type(index) == "INT8"}
        return bool(wide & integers) and not self._to_other_type(op)

    def _to_other_type(self, op: Any) -> bool:
        """Whether the op converts between int8 and another type."""
        types = {self._type(index) for index in touched(op)}
        return self._kind(op) in CONVERSIONS and types != {"INT8"}

    def _refuse(self, op: Any) -> None:
        if self._kind(op) not in VERSIONS:
            name = edit.tensor_name(self.graph.tensors[int(op.outputs[0])])
            raise ModelError(
                f"{self._kind(op)} '{name}' has no kernel for 16-bit activations",
                "keep the layer in float: keep_float in place of keep_int16",
            )

    def _make_twins(self) -> None:
        """An int16 form of each int8 activation around: itself where nobody needs it as it is."""
        needed = self._needed()
        makers = {int(index): op for op in self.region for index in op.outputs}
        indices = [i for op in self.region for i in touched(op) if self._type(i) == "INT8"]
        free = [index for index in indices if self._values(index) is None]
        for index in dict.fromkeys(free):
            tensor = self.graph.tensors[index]
            before = float(tensor.quantization.scale[0])
            maker = self._kind(makers[index]) if index in makers else ""
            scale = _SMALL.get(maker, self._wide_scale(index))
            twin = self._copy(index, index in makers) if index in needed else index
            self.twins[index], self.finer[twin] = twin, scale / before
            edit.set_type(self.graph.tensors[twin], np.int16)
            edit.set_scale(self.graph.tensors[twin], np.array([scale]), 0)

    def _needed(self) -> set[int]:
        """Tensors that must stay as they are: the model's interface, and what other ops touch."""
        found = {int(index) for index in (*self.graph.inputs, *self.graph.outputs)}
        inside = {id(op) for op in self.region}
        for op in self.graph.operators:
            types = {self._type(index) for index in touched(op)}
            adapts = self._to_other_type(op) and "FLOAT32" in types
            if id(op) not in inside and not adapts:
                found.update(touched(op))
        return found

    def _copy(self, index: int, computed: bool) -> int:
        """A second tensor; the name stays with what an op computes, but for the model's outputs."""
        tensor = self.graph.tensors[index]
        place = rewire.add_tensor(self.graph, tensor, tensor.shape, "_int16")
        if computed and index not in map(int, self.graph.outputs):
            self.graph.tensors[place].name = tensor.name
            tensor.name = bytes(tensor.name) + b"_int8"
        return place

    def _convert(self, op: Any) -> None:
        """Make the op take and give the int16 forms."""
        kind, inputs = self._kind(op), [int(index) for index in op.inputs]
        data = 2 if kind == "TRANSPOSE_CONV" else 0
        finer = self.finer[self.twins[inputs[data]]]
        for place, index in enumerate(inputs):
            if index in self.twins:
                inputs[place] = self.twins[index]
            elif kind in _WEIGHTED:
                if index >= 0 and self._type(index) == "INT32" and place > data:
                    inputs[place] = self._bias(index, finer)
            elif index >= 0 and self._type(index) == "INT8":
                inputs[place] = self._operand(index)
        op.inputs = np.array(inputs, np.int32)
        op.outputs = np.array([self.twins[int(index)] for index in op.outputs], np.int32)
        version = max(self.model.operatorCodes[op.opcodeIndex].version, VERSIONS[kind])
        op.opcodeIndex = edit.operator_code(self.model, kind, version)
        if hasattr(op.builtinOptions, "potScaleInt16"):
            op.builtinOptions.potScaleInt16 = False
        if hasattr(op.builtinOptions, "quantizedBiasType"):
            op.builtinOptions.quantizedBiasType = generated().TensorType.INT64

    def _bias(self, index: int, finer: float) -> int:
        """The bias as int64, in steps of the int16 input's scale times the weights'."""
        tensor = self.graph.tensors[index]
        steps = np.round(np.asarray(self._values(index), np.float64) / finer)
        scale = np.asarray(tensor.quantization.scale, np.float64) * finer
        return self._constant(tensor, "_int64", steps.astype(np.int64), scale)

    def _operand(self, index: int) -> int:
        """A constant operand (of ADD, MUL, ...) as int16."""
        tensor, wide = self.graph.tensors[index], self._wide_scale(index)
        scale, zero = tensor.quantization.scale[0], tensor.quantization.zeroPoint[0]
        real = (np.asarray(self._values(index), np.float64) - zero) * scale
        return self._constant(tensor, "_int16", np.round(real / wide).astype(np.int16), [wide])

    def _constant(self, like: Any, suffix: str, values: np.ndarray, scale: Any) -> int:
        place = rewire.add_tensor(self.graph, like, like.shape, suffix)
        tensor, tensor_buffer = self.graph.tensors[place], generated().BufferT()
        self.model.buffers.append(tensor_buffer)
        tensor.buffer = len(self.model.buffers) - 1
        edit.set_constant(self.model, tensor, values)
        edit.set_scale(tensor, np.asarray(scale), 0)
        return place

    def _follow(self, op: Any) -> None:
        """A conversion from or to float has the version that knows the other side's type."""
        if {self._type(index) for index in touched(op)} == {"INT16", "FLOAT32"}:
            version = 3 if self._kind(op) == "DEQUANTIZE" else VERSIONS["QUANTIZE"]
            op.opcodeIndex = edit.operator_code(self.model, self._kind(op), version)

    def _joined(self) -> Iterator[Any]:
        """All ops in order, and a QUANTIZE wherever a tensor is needed in its other type."""
        made = {int(index) for op in self.region for index in op.outputs}
        copies = {old: new for old, new in self.twins.items() if old != new}
        down = {new: old for old, new in copies.items() if new in made}
        up = {old: new for old, new in copies.items() if new not in made}
        yield from self._quantized(self.graph.inputs, up)
        for op in self.graph.operators:
            yield op
            yield from self._quantized(op.outputs, up | down)

    def _quantized(self, indices: Iterable[int], forms: dict[int, int]) -> Iterator[Any]:
        for index in map(int, indices):
            if index in forms:
                inputs, output = [index], forms[index]
                made = rewire.operator(self.model, "QUANTIZE", inputs, output, "QuantizeOptions")
                version = 2 if self._type(output) == "INT16" else 1
                made.opcodeIndex = edit.operator_code(self.model, "QUANTIZE", version)
                yield made

    def _wide_scale(self, index: int) -> float:
        quantization = self.graph.tensors[index].quantization
        scale, zero = float(quantization.scale[0]), int(quantization.zeroPoint[0])
        return scale * max(127 - zero, 128 + zero) / _LARGEST

    def _kind(self, op: Any) -> str:
        return edit.operator_name(self.model, op)

    def _type(self, index: int) -> str:
        return edit.tensor_type(self.graph.tensors[index])

    def _values(self, index: int) -> np.ndarray | None:
        return edit.constant(self.model, self.graph.tensors[index])
