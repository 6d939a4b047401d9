"""UNIDIRECTIONAL_SEQUENCE_LSTM: int8 in and out, 16-bit cells, state new for each run.

Source: tensorflow/lite/micro/kernels/unidirectional_sequence_lstm.cc, lstm_eval.h, lstm_eval.cc and
lstm_eval_common.cc; Hochreiter and Schmidhuber 1997.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.common.element_wise import Plain, braces
from edgekit.compiler.kernels.common.memory import nearest
from edgekit.compiler.kernels.lstm import curves
from edgekit.compiler.operation import Call, Unsupported, scale_of, zero_of
from edgekit.compiler.requantize import Multipliers, multiplier_of, multiply

OPERATORS = ("UNIDIRECTIONAL_SEQUENCE_LSTM",)
_WEIGHTS, _RECURRENT, _BIAS, _HIDDEN, _CELL = 1, 5, 12, 18, 19
_ABSENT = (*range(9, 12), *range(16, 18), *range(20, 24))
_GATES = ("input", "forget", "cell", "output")
_SUM_SCALE, _GATE_SCALE = 2.0**-12, 2.0**-15
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Gate:
    """One of the four gates.

    Attributes:
        weights: int8 [units, inputs].
        recurrent: int8 [units, units].
        bias: int32 [units], the zero point of the inputs inside.
        recurrent_bias: int32 [units], that of the hidden state.
        by: Factor of a sum over inputs.
        recurrent_by: Factor of a sum over the hidden state.
    """

    weights: NDArray[np.int8]
    recurrent: NDArray[np.int8]
    bias: NDArray[np.int32]
    recurrent_bias: NDArray[np.int32]
    by: Multipliers
    recurrent_by: Multipliers

    def sums(self, values: Ints, hidden: Ints | None) -> Ints:
        """Arguments of the gate's function, int16 range [units]."""
        sums = multiply(self.weights.astype(np.int64) @ values + self.bias, self.by)
        if hidden is None:
            return _short(sums)
        past = self.recurrent.astype(np.int64) @ hidden + self.recurrent_bias
        return _short(_short(sums) + _short(multiply(past, self.recurrent_by)))

    def fields(self, to: Emission, name: str) -> str:
        """An `ek_lstm_gate_t` in braces."""
        arrays = [
            to.array(f"{name}_weights", self.weights),
            to.array(f"{name}_recurrent", self.recurrent),
            to.array(f"{name}_bias", self.bias),
            to.array(f"{name}_recurrent_bias", self.recurrent_bias),
        ]
        both = self.by, self.recurrent_by
        factors = [int(each.multiplier[0]) for each in both]
        return f"{{{', '.join(map(str, [*arrays, *factors, *(int(e.shift[0]) for e in both)]))}}}"


@dataclass(frozen=True, eq=False)
class Lstm(Plain):
    """A layer of units over sequences.

    Attributes:
        gates: Input, forget, cell, output.
        factors: Of forget gate * cell, input gate * cell gate, output gate * tanh(cell).
        tanh: Multiplier and shift of the cell as the argument of tanh.
        clip: Limit of a cell, 0 for none.
        zero_point: Of the output.
        shape: Of the input: sequences, times, values; times first where `time_major`.
        time_major: See `shape`.
    """

    gates: tuple[Gate, ...]
    factors: tuple[Multipliers, Multipliers, Multipliers]
    tanh: tuple[int, int]
    clip: int
    zero_point: int
    shape: tuple[int, int, int]
    time_major: bool

    @property
    def units(self) -> int:
        """Cells of the layer."""
        return len(self.gates[0].weights)

    @property
    def steps(self) -> tuple[int, int]:
        """Times and sequences."""
        return self.shape[:2] if self.time_major else (self.shape[1], self.shape[0])

    def macs(self) -> int:
        """Of four gates, over inputs and hidden state."""
        return math.prod(self.steps) * 4 * self.units * (self.shape[2] + self.units)

    def scratch(self, core: Core) -> int:
        """The cells, int16."""
        return 2 * self.units

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """A time's outputs are written while its inputs are read."""
        times, sequences = self.steps
        if sequences > 1:
            return (None,)
        at = np.arange(times + 1)
        return (nearest((at + 1) * self.units, np.maximum(at - 1, 0) * self.shape[2]),)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        values = inputs[0].reshape(self.shape).astype(np.int64)
        values = values if self.time_major else values.swapaxes(0, 1)
        out = np.stack([self._sequence(values[:, each]) for each in range(values.shape[1])], axis=1)
        return np.ascontiguousarray(out if self.time_major else out.swapaxes(0, 1))

    def _sequence(self, values: Ints) -> NDArray[np.int8]:
        """Outputs of one sequence, int8 [times, units]."""
        cell, hidden, outputs = np.zeros(self.units, np.int64), None, []
        for row in values:
            cell, hidden = self._time(row, cell, hidden)
            outputs.append(hidden.astype(np.int8))
        return np.stack(outputs)

    def _time(self, row: Ints, cell: Ints, hidden: Ints | None) -> tuple[Ints, Ints]:
        sums = [gate.sums(row, hidden) for gate in self.gates]
        into, keep, out = (curves.logistic(sums[place]) for place in (0, 1, 3))
        fresh = curves.tanh(sums[2], 3, 0)
        kept, added = (
            multiply(keep * cell, self.factors[0]),
            multiply(into * fresh, self.factors[1]),
        )
        cell = _short(_short(kept) + _short(added))
        cell = np.clip(cell, -self.clip, self.clip) if self.clip > 0 else cell
        shown = multiply(curves.tanh(cell, *self.tanh) * out, self.factors[2])
        return cell, np.clip(shown + self.zero_point, -128, 127)

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        to.use("lstm/lstm.h")
        rows = [gate.fields(to, name) for gate, name in zip(self.gates, _GATES, strict=True)]
        table = to.array("logistic", curves.TABLE)
        fields = [f"{{{', '.join(rows)}}}", table, *self._sizes(), *self._numbers()]
        layer = to.struct("ek_lstm_t", "layer", fields)
        return f"ek_lstm(&{layer}, {to.inputs[0]}, {to.output}, {to.scratch});"

    def _sizes(self) -> list[int]:
        times, sequences = self.steps
        width, units = self.shape[2], self.units
        time, sequence = (sequences, 1) if self.time_major else (1, times)
        places = [time * width, sequence * width, time * units, sequence * units]
        return [times, sequences, width, units, *places]

    def _numbers(self) -> list[object]:
        factors = braces([int(each.multiplier[0]) for each in self.factors])
        shifts = braces([int(each.shift[0]) for each in self.factors])
        return [factors, shifts, self.clip, self.zero_point, *self.tanh]


def _short(values: Ints) -> Ints:
    return np.clip(values, -(1 << 15), (1 << 15) - 1)


def lower(call: Call) -> Lstm:
    """The operation of a UNIDIRECTIONAL_SEQUENCE_LSTM."""
    _check(call)
    source, hidden, cell = call.input(0), call.input(_HIDDEN), call.input(_CELL)
    cell_scale, hidden_scale = scale_of(cell), scale_of(hidden)
    factors = (
        multiplier_of(_GATE_SCALE * cell_scale / cell_scale),
        multiplier_of(_GATE_SCALE * _GATE_SCALE / cell_scale),
        multiplier_of(_GATE_SCALE * _GATE_SCALE / hidden_scale),
    )
    left = 12 + round(math.log2(cell_scale))
    tanh = (3 << left, 0) if left >= 0 else (3, -left)
    if not -15 <= left <= 12:
        raise Unsupported(f"cells with a scale of {cell_scale:g}")
    clip = float(np.float32(call.option("cell_clip", 0.0))) / cell_scale
    return Lstm(
        tuple(_gate(call, place) for place in range(4)),
        factors,
        tanh,
        int(min(max(clip, -32768.0), 32767.0)),
        zero_of(hidden),
        (source.shape[0], source.shape[1], source.shape[2]),
        bool(call.option("time_major", False)),
    )


def _check(call: Call) -> None:
    """Refuse all but the plain layer of Keras in int8."""
    if any(call.has(place) for place in _ABSENT):
        raise Unsupported("peepholes, a projection or layer normalisation")
    if call.activation() != "TANH":
        raise Unsupported(f"the activation {call.activation()}")
    call.int8(call.input(0), call.output, call.input(_HIDDEN))
    cell = call.input(_CELL)
    if cell.dtype != "int16" or cell.quantization is None:
        raise Unsupported(f"'{cell.name}' is {cell.dtype}, not int16")
    if len(call.input(0).shape) != 3:
        raise Unsupported(f"an input of {call.input(0).shape}")


def _gate(call: Call, place: int) -> Gate:
    source, hidden = call.input(0), call.input(_HIDDEN)
    weights, recurrent = call.input(_WEIGHTS + place), call.input(_RECURRENT + place)
    call.int8(weights, recurrent)
    if zero_of(weights) or zero_of(recurrent):
        raise Unsupported("its weights have a zero point")
    inner, outer = call.constant(_WEIGHTS + place), call.constant(_RECURRENT + place)
    bias = call.bias(_BIAS + place, len(inner)).astype(np.int64)
    factors = [
        float(np.float32(scale_of(one)) * np.float32(scale_of(two))) / _SUM_SCALE
        for one, two in ((source, weights), (hidden, recurrent))
    ]
    return Gate(
        inner,
        outer,
        (bias - zero_of(source) * inner.astype(np.int64).sum(axis=1)).astype(np.int32),
        (-zero_of(hidden) * outer.astype(np.int64).sum(axis=1)).astype(np.int32),
        multiplier_of(factors[0]),
        multiplier_of(factors[1]),
    )
