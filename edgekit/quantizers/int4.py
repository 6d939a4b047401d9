"""int4: weights of 4 bits, two in a byte, on static int8 activations.

An int8 build whose kernels have integers from -7 to 7; LiteRT (2.3) takes them apart as it loads or
runs, so that the file shrinks, not the time. What `quantize_bits` trained is stored as it is. Other
kernels are rounded here, each output channel to its own nearest steps; depthwise ones, whose few
weights a channel lose most and weigh least, keep 8 bits. Versions of operators are those that
LiteRT's `op_version.cc` gives them.
https://ai.google.dev/edge/litert/models/quantization_spec
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from edgekit.graph import edit
from edgekit.graph.read import read
from edgekit.model import Model
from edgekit.problem import Problem
from edgekit.quantizers._code_book import PLACES
from edgekit.quantizers._steps import even_step
from edgekit.quantizers.base import Base, Quantized, QuantizeOptions, Rows
from edgekit.quantizers.int8 import Quantizer as Int8

LARGEST = 7
VERSIONS = {"CONV_2D": 7, "DEPTHWISE_CONV_2D": 7, "FULLY_CONNECTED": 10}
"""Of operators with int4 weights and int8 activations, at least."""
_ROUNDED = ("CONV_2D", "FULLY_CONNECTED")
_SHOWN = 6


class Quantizer(Base):
    """Static int8 with weights of 4 bits."""

    name = "int4"
    io = Int8.io
    calibrates = True
    uses_ranges = True

    def apply(self, model: Model, rows: Rows, options: QuantizeOptions) -> Quantized:
        """Calibrate, quantize and pack; see `Base.quantize`."""
        rounded, scales = round_weights(model.tflite, model.learned.weight_scales, options)
        learned = dataclasses.replace(model.learned, weight_scales=scales)
        built = Int8().built(dataclasses.replace(model, learned=learned), rows, options, rounded)
        packed, left = pack(built.tflite)
        return dataclasses.replace(
            built, tflite=packed, problems=(*built.problems, *_kept(left, self.name))
        )


def round_weights(
    tflite: bytes, decided: Mapping[int, np.ndarray], options: QuantizeOptions
) -> tuple[bytes, dict[int, np.ndarray]]:
    """The float flatbuffer with weights that are multiples of steps, and the steps of all kernels.

    Args:
        tflite: Float.
        decided: By the tensor index of a kernel that stays as it is: its steps.
        options: Say where an output channel may have steps of its own.

    Returns:
        The flatbuffer, and the steps [output channels] by tensor index, those of `decided` too.
    """
    graph, model, scales = read(tflite), edit.unpack(tflite), dict(decided)
    for op in (op for op in graph.ops if op.name in _ROUNDED):
        index = op.inputs[PLACES[op.name].weights]
        values = graph.tensors[index].data
        if values is None or index in scales:
            continue
        flat = np.asarray(values, np.float32).reshape(len(values), -1)
        dense = op.name == "FULLY_CONNECTED" and options.disable_per_channel_dense
        groups = [flat] if dense or not options.per_channel else list(flat)
        steps = np.array([even_step(each, LARGEST) for each in groups], np.float32)
        steps = np.broadcast_to(steps, len(flat)).copy()
        whole = np.round(flat / np.where(steps > 0, steps, 1)[:, None])
        rounded = np.clip(whole, -LARGEST, LARGEST) * steps[:, None]
        edit.set_constant(model, model.subgraphs[0].tensors[index], rounded.reshape(values.shape))
        scales[index] = steps
    return edit.pack(model), scales


def pack(built: bytes) -> tuple[bytes, list[str]]:
    """An int8 file with every kernel in 4 bits that fits, and the names of those that do not."""
    graph, model, left = read(built), edit.unpack(built), []
    readers: dict[int, list[str]] = {}
    for op in graph.ops:
        for index in op.inputs:
            readers.setdefault(index, []).append(op.name)
    for op in (op for op in graph.ops if op.name in PLACES):
        index = op.inputs[PLACES[op.name].weights]
        tensor = graph.tensors[index]
        if tensor.data is None or tensor.dtype != "int8":
            continue
        wide = np.abs(tensor.data.astype(np.int16)).max(initial=0) > LARGEST
        if wide or not VERSIONS.keys() >= set(readers[index]):
            left.append(graph.tensors[op.outputs[0]].name)
            continue
        edit.set_int4(model, model.subgraphs[0].tensors[index], tensor.data)
        version = max(op.version, VERSIONS[op.name])
        operator = model.subgraphs[0].operators[op.index]
        operator.opcodeIndex = edit.operator_code(model, op.name, version)
    edit.drop_unused(model)
    edit.drop_stale(model)
    return edit.pack(model), left


def _kept(names: list[str], quantizer: str) -> tuple[Problem, ...]:
    if not names:
        return ()
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    message = f"{quantizer} leaves 8 bits to {shown}{more}"
    return (Problem("note", "quantize", message, "quantize_bits:4 trains all kernels for 4 bits"),)
