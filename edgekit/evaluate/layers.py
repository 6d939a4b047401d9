"""Which layer hurts, and why: SQNR of every op's output of a built model against the float one.

Both flatbuffers run on LiteRT's reference kernels with all tensors kept. The noise of an output
has three sources, whose sizes are measured apart: the tensor's own quantization (float values
quantised with its scale), its inputs' noise, and its weights' noise. The largest names the cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from edgekit.affine import dequantise, quantise, real_range
from edgekit.evaluate.matching import match
from edgekit.evaluate.sqnr import Sqnr
from edgekit.graph.graph import Graph, Op, Tensor
from edgekit.graph.read import read
from edgekit.runtimes.base import Row

Why = Literal["saturation", "outlier channel", "range", "accumulated", "weights"]

LOW_DB = 20.0
"""Below this the table says why: noise of a tenth of the signal's amplitude."""
LOW_CHANNEL_DB = 10.0
"""The same for the median channel, which a few loud channels hide in the tensor's SQNR."""
_OUTLIER = 8.0


@dataclass(frozen=True)
class Layer:
    """One output of an op of the built model.

    Attributes:
        index: Of the op; -1 for an input of the model.
        op: Its name, `INPUT` for an input of the model.
        name: Of the tensor.
        shape: Of the tensor.
        sqnr_db: Against the float model's tensor, within -200..200; 200 means identical.
        channel_sqnr_db: Median of the SQNR of its channels (last axis).
        why: Where one is low (`LOW_DB`, `LOW_CHANNEL_DB`): the main cause, else None.
            `saturation`: float values beyond the quantized range; `outlier channel`: one channel
            needs a range many times the others'; `range`: the range is much wider than where
            the values are; `accumulated`: the op's inputs were bad already; `weights`: its
            weights are.
        detail: The figures behind `why`, else empty.
    """

    index: int
    op: str
    name: str
    shape: tuple[int, ...]
    sqnr_db: float
    channel_sqnr_db: float
    why: Why | None
    detail: str

    def to_json(self) -> dict[str, Any]:
        """The layer as the report stores it; dB rounded to 0.001."""
        decibels = {key: round(getattr(self, key), 3) for key in ("sqnr_db", "channel_sqnr_db")}
        return {**asdict(self), **decibels}


def layer_table(float_model: bytes, built: bytes, rows: Sequence[Row]) -> tuple[Layer, ...]:
    """Compare each op's output on a few rows.

    Args:
        float_model: The float flatbuffer.
        built: A flatbuffer made from it; tensors correspond by name, else by the order of ops.
        rows: Model-ready float32 arrays `[1, ...]`, one for each input.

    Returns:
        A layer for each output of the built model's ops that has a float counterpart of the
        same shape, in order of execution, the model's inputs first.

    Raises:
        ModelError: One of the models cannot be run.
    """
    left, right = read(float_model), read(built)
    counterpart = match(left, right)
    seen: dict[int, _Seen] = {}
    sides = _tensors(left, float_model, rows), _tensors(right, built, rows)
    for wanted, given in zip(*sides, strict=True):
        for index, mate in counterpart.items():
            if index in given and mate in wanted and given[index].shape == wanted[mate].shape:
                seen.setdefault(index, _Seen()).add(
                    wanted[mate], given[index], right.tensors[index]
                )
    return tuple(_layers(left, right, counterpart, seen))


def _tensors(graph: Graph, model: bytes, rows: Sequence[Row]) -> Iterator[dict[int, np.ndarray]]:
    """Inputs and op outputs of each row as float32 by tensor index."""
    from edgekit.runtimes._children import Children

    order = [index for op in graph.ops for index in op.outputs if index >= 0]
    entries = [graph.tensors[index] for index in graph.inputs]
    quantised = [
        tuple(quantise(value, tensor) for value, tensor in zip(row, entries, strict=True))
        for row in rows
    ]
    with Children("litert-tensors", model) as runtime:
        for row, values in zip(quantised, runtime.map_rows(quantised), strict=True):
            found = dict(zip((*graph.inputs, *order), (*row, *values), strict=True))
            yield {
                index: dequantise(value, graph.tensors[index])
                for index, value in found.items()
                if value.size and value.dtype.kind in "iuf"
            }


@dataclass
class _Noise:
    """Energies of a signal and of its error by channel, the last axis."""

    signal: Any = 0.0
    noise: Any = 0.0

    def add(self, wanted: np.ndarray, given: np.ndarray) -> None:
        left, right = (side.astype(np.float64) for side in (wanted, given))
        self.signal = self.signal + _by_channel(left**2).sum(axis=0)
        self.noise = self.noise + _by_channel((left - right) ** 2).sum(axis=0)

    @property
    def total(self) -> Sqnr:
        return Sqnr(float(np.sum(self.signal)), float(np.sum(self.noise)))

    @property
    def channel_db(self) -> float:
        """Median over the channels that are not silent."""
        each = [Sqnr(float(s), float(n)).db for s, n in zip(self.signal, self.noise, strict=True)]
        loud = [db for db, signal in zip(each, self.signal, strict=True) if signal > 0]
        return float(np.median(loud)) if loud else self.total.db

    @property
    def lacking(self) -> float:
        """How far below the two limits the worse of total and median channel is, in dB."""
        return min(self.total.db - LOW_DB, self.channel_db - LOW_CHANNEL_DB)


@dataclass
class _Seen:
    """What is added up over rows for one tensor."""

    error: _Noise = field(default_factory=_Noise)
    own: _Noise = field(default_factory=_Noise)
    clipped: float = 0.0
    beyond: int = 0
    count: int = 0
    middle: list[float] = field(default_factory=list)
    low: Any = np.inf
    high: Any = -np.inf

    def add(self, wanted: np.ndarray, given: np.ndarray, tensor: Tensor) -> None:
        self.count += wanted.size
        self.error.add(wanted, given)
        self.own.add(wanted, dequantise(quantise(wanted, tensor), tensor))
        if (limits := real_range(tensor)) is not None:
            cut = np.abs(wanted - np.clip(wanted, *limits))
            self.clipped += float((cut.astype(np.float64) ** 2).sum())
            self.beyond += int((cut > 1e-3 * (limits[1] - limits[0])).sum())
        flat = _by_channel(wanted)
        self.low = np.minimum(self.low, flat.min(axis=0))
        self.high = np.maximum(self.high, flat.max(axis=0))
        ends = np.quantile(flat, (0.005, 0.995))
        self.middle.append(float(ends[1] - ends[0]))


def _by_channel(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1)


def _layers(
    left: Graph, right: Graph, counterpart: dict[int, int], seen: dict[int, _Seen]
) -> Iterator[Layer]:
    entry = Op(-1, "INPUT", 1, (), right.inputs, {}, custom=False)
    makers = {index: op for op in left.ops for index in op.outputs}
    origin = {index: f"op {op.index} ({op.name})" for op in right.ops for index in op.outputs}
    for op in (entry, *right.ops):
        weights = _weights(left, makers.get(counterpart.get(op.outputs[0], -1)), right, op)
        inputs = {origin.get(i, "the model's input"): seen[i] for i in op.inputs if i in seen}
        for index in op.outputs:
            if index in seen:
                tensor, facts = right.tensors[index], seen[index]
                figures = facts.error.total.db, facts.error.channel_db
                low = facts.error.lacking < 0
                why = _explain(tensor, facts, inputs, weights) if low else (None, "")
                yield Layer(op.index, op.name, tensor.name, tensor.shape, *figures, *why)


def _explain(
    tensor: Tensor, facts: _Seen, inputs: dict[str, _Seen], weights: Sqnr
) -> tuple[Why, str]:
    """The largest of the three sources of noise, in words."""
    worst = min(inputs, key=lambda name: inputs[name].error.lacking, default="")
    before = inputs[worst].error.lacking if inputs else np.inf
    own, heavy = facts.own.lacking, weights.db - LOW_DB
    if before <= min(own, heavy):
        return "accumulated", f"{worst} has {inputs[worst].error.total.db:.1f} dB already"
    if heavy < own:
        return "weights", f"its weights have {weights.db:.1f} dB"
    return _own(tensor, facts)


def _own(tensor: Tensor, facts: _Seen) -> tuple[Why, str]:
    """Why the tensor's own quantization is coarse."""
    low, high = real_range(tensor) or (0.0, 0.0)
    if 2 * facts.clipped >= facts.own.total.noise:
        share = 100.0 * facts.beyond / facts.count
        return "saturation", f"{share:.2g} % of values lie beyond {low:.4g}..{high:.4g}"
    widths = facts.high - facts.low
    typical = float(np.median(widths))
    if widths.size > 2 and widths.max() > _OUTLIER * typical:
        channel, widest = int(widths.argmax()), float(widths.max())
        detail = f"channel {channel} spans {widest:.4g}, the median channel {typical:.4g}"
        return "outlier channel", detail
    middle = float(np.mean(facts.middle))
    detail = f"the range {low:.4g}..{high:.4g} serves values of which 99 % span {middle:.4g}"
    return "range", detail


def _weights(left: Graph, mate: Op | None, right: Graph, op: Op) -> Sqnr:
    """SQNR of the op's constants against the float op's."""
    total = Sqnr()
    for a, b in zip(mate.inputs if mate else (), op.inputs, strict=False):
        if a < 0 or b < 0:
            continue
        wanted, given = left.tensors[a], right.tensors[b]
        if wanted.data is None or given.data is None or wanted.dtype != "float32":
            continue
        # biases are int32: their noise is negligible, and they would dwarf small weights
        if wanted.shape == given.shape and len(wanted.shape) > 1:
            total = total.add((wanted.data,), (dequantise(given.data, given),))
    return total
