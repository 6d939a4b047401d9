"""The contract of a quantizer: a float flatbuffer in, a flatbuffer of another number format out.

To add one: put `<name>.py` in this folder with a class `Quantizer(Base)` that sets `name` and `io`
and implements `apply`. What every quantizer promises is checked here: an already quantized model
is refused, input and output types are known, and what comes out has them or says why not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np

from edgekit import _discover
from edgekit.errors import ModelError, UsageError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.model import Model
from edgekit.problem import Problem, Severity

Rows = Callable[[], Iterator[tuple[np.ndarray, ...]]]
Choice = Literal["off", "on", "auto"]
LOOPS = ("WHILE", "STABLEHLO_WHILE")
INTEGERS = ("int8", "uint8", "int16", "int4")


@dataclass(frozen=True)
class QuantizeOptions:
    """How to quantize; quantizers ignore what does not concern them.

    Attributes:
        estimator: Of activation ranges: a file in `calibrate/estimators`, or `auto`: the one
            whose outputs come closest to the float model's on rows held out.
        equalise: Cross-layer equalisation: `off`, `on`, or `auto`: kept where it helps.
        bias_correct: Bias correction; likewise.
        input_dtype: Of float inputs; "": the quantizer's own.
        output_dtype: Of float outputs; "": the quantizer's own.
        per_channel: One weight scale per output channel, else one per tensor.
        seed: Of every random choice (there is none today).
        disable_per_channel_dense: One scale per FULLY_CONNECTED, for runtimes that lack
            version 12 of the op (tflite-runtime 2.14).
        keep_float: Layers of an int8 build whose output stays float32, by name (`bridge.names`) or
            by the output's tensor: the ops that write or read it compute in float.
        keep_int16: Likewise those whose output gets 16 bits: the ops around run as 16x8.
    """

    estimator: str = "minmax"
    equalise: Choice = "auto"
    bias_correct: Choice = "auto"
    input_dtype: str = ""
    output_dtype: str = ""
    per_channel: bool = True
    seed: int = 0
    disable_per_channel_dense: bool = False
    keep_float: tuple[str, ...] = ()
    keep_int16: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quantized:
    """What came out.

    Attributes:
        tflite: The flatbuffer.
        estimator: The range estimator that was used, "" where none was.
        effects: What `auto`, equalisation and bias correction brought, in dB of SQNR.
        problems: What the user should know.
        reference: The float flatbuffer whose tensors it should have, None for the model's own:
            equalisation keeps the outputs and rescales what lies between.
    """

    tflite: bytes
    estimator: str = ""
    effects: dict[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    reference: bytes | None = None


class Base(ABC):
    """Checks the promise; the subclass does the work.

    Attributes:
        name: As in `--quantize`.
        io: The types that float inputs and outputs may get; the first is the default.
        accepts_quantized: Whether it takes a model that is quantized already.
        calibrates: Whether it needs calibration rows.
        uses_ranges: Whether the activation ranges of quantization-aware training are for it.
    """

    name: ClassVar[str]
    io: ClassVar[tuple[str, ...]] = ("float32",)
    accepts_quantized: ClassVar[bool] = False
    calibrates: ClassVar[bool] = False
    uses_ranges: ClassVar[bool] = False

    def quantize(self, model: Model, rows: Rows, options: QuantizeOptions) -> Quantized:
        """The model in this number format.

        Args:
            model: With a float flatbuffer.
            rows: Called once for every pass over the calibration rows: tuples of one array
                [1, ...] an input. Quantizers that need no data never call it.
            options: How.

        Raises:
            ModelError: The model is quantized already, or an op cannot be quantized (named).
            DataError: No rows, or rows of another shape.
            UsageError: An option that this quantizer does not have.
        """
        self._check_io(options.input_dtype, "input")
        self._check_io(options.output_dtype, "output")
        graph = read(model.tflite)
        if not self.accepts_quantized:
            refuse_quantized(graph, model.source.path.name)
        if self.calibrates:
            refuse_loops(graph)
        result = self.apply(model, rows, options)
        if model.learned.ranges and not self.uses_ranges:
            return replace(result, problems=(*result.problems, _learned_for_nothing(self.name)))
        return result

    @abstractmethod
    def apply(self, model: Model, rows: Rows, options: QuantizeOptions) -> Quantized:
        """`quantize`, after the checks."""

    def _check_io(self, dtype: str, which: str) -> None:
        if dtype and dtype not in self.io:
            raise UsageError(
                f"{which} type {dtype} does not go with {self.name}",
                f"use one of: {', '.join(self.io)}",
            )


def _learned_for_nothing(quantizer: str) -> Problem:
    return Problem(
        "warning",
        "quantize",
        f"{quantizer} has no use for the activation ranges that quantization-aware training "
        "learned: they are for int8",
        "build with --quantize int8, or leave qat out",
    )


def load(name: str) -> Base:
    """The quantizer of this name.

    Raises:
        UsageError: There is none.
    """
    found = _discover.load("quantizers", name)
    quantizer: Base = (found.Quantizer if hasattr(found, "Quantizer") else found)()
    return quantizer


def quantized_already(graph: Graph) -> str:
    """The integer or half type that weights or activations have, "" for a float model."""
    for tensor in graph.tensors:
        if tensor.dtype in INTEGERS and tensor.quantization is not None:
            return tensor.dtype
        if tensor.dtype == "float16" and tensor.data is not None:
            return tensor.dtype
    return ""


def refuse_quantized(graph: Graph, path: str) -> None:
    """Raise ModelError for a model that is no longer float."""
    dtype = quantized_already(graph)
    if dtype:
        raise ModelError(
            f"{path} is quantized already ({dtype}): it cannot be quantized again",
            "give the float model, or leave --quantize out to export this one as it is",
        )


def refuse_loops(graph: Graph) -> None:
    """Raise ModelError for a model with a loop: TensorFlow's calibrator crashes on it (2.21)."""
    loop = next((op for op in graph.ops if op.name in LOOPS), None)
    if loop is not None:
        name = graph.tensors[loop.outputs[0]].name
        raise ModelError(
            f"{loop.name} '{name}' cannot be calibrated: it is a loop",
            "unroll recurrent layers (unroll=True) in the source model, or use --quantize dynamic",
        )


def float_ops(tflite: bytes) -> list[str]:
    """The ops of a quantized flatbuffer that still compute in float: name and output."""
    graph = read(tflite)
    return [
        f"{op.name} '{graph.tensors[op.outputs[0]].name}'"
        for op in graph.ops
        if op.name not in ("QUANTIZE", "DEQUANTIZE")
        and any(graph.tensors[i].dtype == "float32" for i in (*op.inputs, *op.outputs) if i >= 0)
    ]


def left_float(tflite: bytes, quantizer: str, asked: tuple[str, ...] = ()) -> tuple[Problem, ...]:
    """A warning that names the ops left in float, if there are any; a note where it was asked."""
    names = float_ops(tflite)
    if not names:
        return ()
    why = ", as keep_float asks" if asked else ""
    hint = "integer-only targets cannot run them: "
    hint += "leave keep_float out" if asked else "replace them in the source model"
    message = f"{quantizer} leaves {len(names)} op{'s' * (len(names) > 1)} in float{why}: "
    severity: Severity = "note" if asked else "warning"
    return (Problem(severity, "quantize", message + ", ".join(names), hint),)
