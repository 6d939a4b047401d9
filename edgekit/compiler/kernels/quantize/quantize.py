"""QUANTIZE and DEQUANTIZE: float32 to int8 and back, and bytes to bytes of another scale.

Source: tensorflow/lite/kernels/internal/reference/quantize.h, dequantize.h and requantize.h;
micro/kernels/quantize_common.cc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.element_wise import Plain, apart
from edgekit.compiler.kernels.table.table import Table, all_bytes
from edgekit.compiler.operation import Call, Operation, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import multiplier_of, multiply

OPERATORS = ("QUANTIZE", "DEQUANTIZE")
_BYTES = ("int8", "uint8")
_FAR = 1000.0
"""Beyond any int8 value less its zero point."""


@dataclass(frozen=True)
class Quantize(Plain):
    """float32 to int8: value / scale + zero_point, to nearest, halves away from zero.

    Attributes:
        scale: float32.
        zero_point: Of the output.
        elements: How many values there are.
    """

    scale: float
    zero_point: int
    elements: int

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        ratio = np.clip(inputs[0] / np.float32(self.scale), -_FAR, _FAR).astype(np.float64)
        ratio = np.where(np.isnan(ratio), 0.0, ratio)
        rounded = np.sign(ratio) * np.floor(np.abs(ratio) + 0.5)
        return np.asarray(np.clip(rounded + self.zero_point, -128, 127), np.int8)

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.define("EK_QUANTIZE_FLOAT")
        to.use("quantize/quantize.h")
        sides = f"{to.inputs[0]}, {to.output}, {self.elements}"
        return f"ek_quantize({self.scale:.9e}f, {self.zero_point}, {sides});"


@dataclass(frozen=True)
class Dequantize(Plain):
    """int8 or uint8 to float32: scale * (value - zero_point).

    Attributes:
        scale: float32.
        zero_point: Of the input.
        elements: How many values there are.
        signed: Whether the input is int8, else uint8.
    """

    scale: float
    zero_point: int
    elements: int
    signed: bool = True

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """Floats grow towards the bytes that are still to be read."""
        return (apart(self.elements, 1, 4),)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        return np.float32(self.scale) * (inputs[0].astype(np.float32) - np.float32(self.zero_point))

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.define(f"EK_DEQUANTIZE_{'INT8' if self.signed else 'UINT8'}")
        to.use("quantize/quantize.h")
        name = "ek_dequantize" if self.signed else "ek_dequantize_uint8"
        sides = f"{to.inputs[0]}, {to.output}, {self.elements}"
        return f"{name}({self.scale:.9e}f, {self.zero_point}, {sides});"


def lower(call: Call) -> Operation:
    """The operation of a QUANTIZE or DEQUANTIZE."""
    source, out = call.input(0), call.output
    elements = math.prod(source.shape)
    for tensor in (source, out):
        known = tensor.quantization
        if tensor.dtype != "float32" and (known is None or known.per_channel):
            raise Unsupported(f"'{tensor.name}' has no scale of its own")
    if source.dtype == "float32" and out.dtype == "int8":
        return Quantize(scale_of(out), zero_of(out), elements)
    if source.dtype in _BYTES and out.dtype == "float32":
        return Dequantize(scale_of(source), zero_of(source), elements, source.dtype == "int8")
    if source.dtype in _BYTES and out.dtype in _BYTES and "int8" in (source.dtype, out.dtype):
        return _requantize(call, elements)
    raise Unsupported(f"{source.dtype} to {out.dtype}")


def _requantize(call: Call, elements: int) -> Table:
    source, out = call.input(0), call.output
    values = all_bytes(source.dtype) - zero_of(source)
    scaled = multiply(values, multiplier_of(scale_of(source) / scale_of(out))) + zero_of(out)
    limits: Any = np.iinfo(out.dtype)
    wanted = np.clip(scaled, limits.min, limits.max).astype(out.dtype)
    return Table(wanted, elements, source.dtype == "int8" == out.dtype)
