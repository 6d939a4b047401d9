"""Functions of one int8 value: LOGISTIC, TANH, RELU and their like, exact by a table of all values.

Where a table only limits or moves its argument, so does the device, which needs no table then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.element_wise import Plain
from edgekit.compiler.kernels.table.functions import FUNCTIONS
from edgekit.compiler.operation import Call, zero_of

OPERATORS = tuple(FUNCTIONS)


@dataclass(frozen=True, eq=False)
class Table(Plain):
    """A function of a byte.

    Attributes:
        values: [256] in the order of unsigned bytes: of int8 first 0 to 127, then -128 to -1.
        elements: How many bytes there are.
        signed: Whether the argument is int8, else uint8; the results are of the dtype of `values`.
    """

    values: NDArray[Any]
    elements: int
    signed: bool = True

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        return np.asarray(self.values[inputs[0].view(np.uint8)])

    def sees(self) -> int:
        """Any number."""
        return 0

    def take(self, kept: NDArray[np.bool_]) -> Table:
        """The same on some of the channels."""
        return replace(self, elements=self.elements // len(kept) * int(kept.sum()))

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        kind, arguments = self._kernel(to)
        to.define(f"EK_TABLE_{kind}")
        to.use("table/table.h")
        name = {"LOOKUP": "lookup", "CLAMP": "limit", "OFFSET": "offset"}[kind]
        return f"ek_{name}({arguments}, {to.inputs[0]}, {to.output}, {self.elements});"

    def _kernel(self, to: Emission) -> tuple[str, str]:
        values = self.values.view(np.int8).astype(np.int64)
        places = np.arange(256).astype(np.uint8).view(np.int8).astype(np.int64)
        low, high = int(values.min()), int(values.max())
        if self.signed and np.array_equal(values, np.clip(places, low, high)):
            return "CLAMP", f"{low}, {high}"
        offset = int(values[0])
        if np.array_equal(values, (places + offset).astype(np.int8)):
            return "OFFSET", f"{offset}"
        return "LOOKUP", to.array("table", self.values.view(np.int8))


def lower(call: Call) -> Table:
    """The operation of an operator with an int8 function."""
    source = call.input(0)
    call.int8(source, call.output)
    values = all_bytes(np.int8) - zero_of(source)
    out = np.clip(FUNCTIONS[call.op.name](call, values), -128, 127)
    return Table(out.astype(np.int8), math.prod(source.shape))


def all_bytes(dtype: Any) -> NDArray[np.int64]:
    """The values of all bytes, from 0x00 to 0xff, as int8 or uint8."""
    return np.asarray(np.arange(256).astype(np.uint8).view(dtype), np.int64)
