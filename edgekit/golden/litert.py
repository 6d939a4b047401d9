"""Golden vectors of a LiteRT build: the answers of reference kernels, the same on every machine.

Kernels that are made for speed round otherwise, and otherwise on each processor: what they may be
off is taken from what those of this machine are, and half as much again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import EdgekitError
from edgekit.golden.inputs import Row, vectors
from edgekit.graph.count import macs
from edgekit.graph.graph import Graph, Tensor
from edgekit.runtimes._children import Children
from edgekit.runtimes.litert import REFERENCE_ONLY, LiteRT

PATH = "golden.npz"
BY = "litert-reference"
MACS = 100_000_000
"""Of all vectors together, unless one has more: reference kernels are slow, boards slower."""
MARGIN = 1.5
"""How far kernels of other machines may be off, measured by those of this one."""
STEPS, SHARE = 2.0, 1e-4
"""What they are granted besides: steps of a quantized output, and a share of the largest value of
a float one."""
_RANDOM = ("MULTINOMIAL", "RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM")


@dataclass(frozen=True, eq=False)
class Golden:
    """Inputs and outputs of a model.

    Attributes:
        inputs: One row of arrays a vector, as the model takes them.
        outputs: The same, as reference kernels return them.
        tolerance: For each output, what other kernels may be off: in steps of an integer, relative
            to the largest value of a float; None for integers that are no quantized numbers
            (classes, counts), where nothing can be said.
    """

    inputs: Sequence[Row]
    outputs: Sequence[Row]
    tolerance: Sequence[float | None]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """`input_0`, ..., `output_0`, ...: each [vectors, ...]."""
        sides = {"input": self.inputs, "output": self.outputs}
        return {
            f"{side}_{place}": np.stack(column)
            for side, rows in sides.items()
            for place, column in enumerate(zip(*rows, strict=True))
        }

    def to_bytes(self) -> bytes:
        """Inputs and outputs of one vector after the other, little-endian."""
        rows = zip(self.inputs, self.outputs, strict=True)
        arrays = [array for inputs, outputs in rows for array in (*inputs, *outputs)]
        return b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays)

    def allowed(self) -> list[float | None]:
        """What an element of each output may be off, as it is stored; None: it is not compared."""
        columns = zip(*self.outputs, strict=True)
        return [
            _off(np.stack(column), tolerance)
            for column, tolerance in zip(columns, self.tolerance, strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """The section of the manifest."""
        return {
            "path": PATH,
            "vectors": len(self.inputs),
            "inputs": len(self.inputs[0]),
            "outputs": len(self.outputs[0]),
            "by": BY,
            "tolerance": list(self.tolerance),
        }


def make_golden(tflite: bytes, graph: Graph, *, isolated: bool = False) -> Golden | None:
    """Golden vectors of a model; None where reference kernels cannot say what is right.

    Args:
        tflite: The model.
        graph: Of `tflite`.
        isolated: Run it in child processes: for a user's file, which may crash an interpreter.
    """
    if not _certain(graph):
        return None
    rows = vectors(graph)[: max(1, MACS // max(1, macs(graph)))]
    try:
        wanted = _run(REFERENCE_ONLY, tflite, rows, isolated)
        others = _run("litert", tflite, rows, isolated)
    except EdgekitError:
        return None
    sides = [list(zip(*side, strict=True)) for side in (wanted, others)]
    pairs = zip(graph.output_tensors(), *sides, strict=True)
    return Golden(rows, wanted, [_tolerance(*each) for each in pairs])


def _off(values: NDArray[Any], tolerance: float | None) -> float | None:
    if tolerance is None or values.dtype.kind != "f":
        return tolerance
    return tolerance * float(np.abs(values[np.isfinite(values)]).max(initial=0))


def _certain(graph: Graph) -> bool:
    """Whether all machines must give the same: sizes fixed, nothing random, nothing custom."""
    tensors = (*graph.input_tensors(), *graph.output_tensors())
    if any(-1 in tensor.signature[1:] or tensor.dtype == "string" for tensor in tensors):
        return False
    ops = [op for part in (graph, *graph.subgraphs) for op in part.ops]
    return bool(tensors) and not any(op.custom or op.name in _RANDOM for op in ops)


def _run(name: str, tflite: bytes, rows: Sequence[Row], isolated: bool) -> list[Row]:
    with Children(name, tflite) if isolated else LiteRT(tflite, name) as runtime:
        return [tuple(np.array(value) for value in row) for row in runtime.map_rows(rows)]


def _tolerance(tensor: Tensor, wanted: Sequence[Any], others: Sequence[Any]) -> float | None:
    one, two = np.stack(wanted), np.stack(others)
    if one.dtype.kind != "f":
        if tensor.quantization is None:
            return None
        off = float(np.abs(one.astype(np.int64) - two.astype(np.int64)).max(initial=0))
        return MARGIN * off + STEPS
    usable = np.isfinite(one) & np.isfinite(two)
    off = float(np.abs(one[usable] - two[usable]).max(initial=0))
    largest = float(np.abs(one[usable]).max(initial=0))
    # two digits: the rest is chance, and the manifest is read by people
    return float(f"{MARGIN * off / (largest or 1) + SHARE:.1e}")
