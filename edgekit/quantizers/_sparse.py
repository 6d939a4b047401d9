"""TFLite's sparse encoding of a finished flatbuffer: kept only where a run proves it.

TensorFlow calls it experimental. Some files do not load (XNNPACK refuses DENSIFY before int8
kernels, tflite-micro has no such op), others load and compute other values (float16 with blocks of
4 on LiteRT, blocks of 16 on tflite-micro); of int16x8 it narrows the biases. So each file is
compared with the dense one, and tried on the runtime it is made for, in a child process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice

import numpy as np

from edgekit._tf import module, silent
from edgekit.calibrate.ranges import reason
from edgekit.errors import EdgekitError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.importers.prove import TOLERANCE, highest_index, seeded_rows
from edgekit.model import TensorSpec
from edgekit.problem import Problem
from edgekit.runtimes.base import Row, open_runtime, run_float, runtime_version

SEEDED, GIVEN = 6, 32
"""Rows that are tried: random ones, and at most so many of those given."""
_WHERE = "sparse encoding"


def sparse_encoding(
    dense: bytes, runtime: str, rows: Iterable[Row] = (), *, seed: int = 0
) -> tuple[bytes, tuple[Problem, ...]]:
    """The flatbuffer with sparse kernels where that is smaller and proved to work, else as it is.

    Args:
        dense: The finished flatbuffer, in any number format.
        runtime: The target's own, as `runtimes.base.open_runtime` names it. What stands in for one
            proves nothing: where it is not installed, the dense file stays.
        rows: Real float32 inputs, `[1, ...]` one for each input; the first `GIVEN` are tried.
        seed: Of the further, random inputs.

    Returns:
        The flatbuffer to use, and one note: what was saved, or why not.
    """
    try:
        sparse = sparsify(dense)
    except Exception as error:  # an experimental converter: whatever it raises means no
        return dense, (_left(f"TensorFlow cannot make it: {reason(str(error))}"),)
    lack, count = proved(dense, sparse, runtime, rows, seed)
    if lack:
        return dense, (_left(lack),)
    return sparse, (
        Problem(
            "note",
            _WHERE,
            f"kernels are stored sparse, {len(dense):,} -> {len(sparse):,} B: the same outputs on "
            f"{count} rows with {runtime_version(runtime)}",
            "try the file on the device: other builds of the runtime may refuse it; "
            "it is no faster, and can be slower",
        ),
    )


def sparsify(tflite: bytes) -> bytes:
    """The flatbuffer with kernels stored sparse where TensorFlow finds them sparse enough.

    Nothing is proved of it. Raises whatever TensorFlow raises.
    """
    convert = module("tensorflow.lite.python.convert")
    with silent():
        return bytes(convert.mlir_sparsify(tflite))


def proved(
    dense: bytes, sparse: bytes, runtime: str, rows: Iterable[Row] = (), seed: int = 0
) -> tuple[str, int]:
    """What stands against `sparse`, empty where nothing does; and on how many rows it was tried.

    It must be smaller, hold the same constants, load and run, and give the same outputs: integers
    equal, floats as near as another order of summing leaves them.
    """
    try:
        graph, encoded = read(dense), read(sparse)
        if text := _unlike(graph, encoded) or _larger(dense, sparse):
            return text, 0
        tried = [*_seeded(graph, seed), *islice(rows, GIVEN)]
        wanted = _outputs(dense, runtime, graph, tried)
    except EdgekitError as error:
        return f"it cannot be tried: {error.message}", 0
    try:
        got = _outputs(sparse, runtime, graph, tried)
    except EdgekitError as error:
        return f"the sparse file does not load or run: {error.message}", 0
    for number, (left, right) in enumerate(zip(wanted, got, strict=True)):
        if text := _difference(graph, left, right):
            return f"the sparse file computes other values: {text} on row {number}", 0
    return "", len(tried)


def _unlike(dense: Graph, sparse: Graph) -> str:
    if not any(tensor.sparse for tensor in sparse.tensors):
        return "no kernel has zeros enough"
    lost = sorted(_constants(dense) - _constants(sparse))
    if lost:
        kinds = ", ".join(sorted({dtype for dtype, *_ in lost}))
        return f"TensorFlow changes other constants with it ({len(lost)} of type {kinds})"
    return ""


def _constants(graph: Graph) -> Counter[tuple[str, tuple[int, ...], bytes]]:
    held = [tensor for tensor in graph.tensors if tensor.data is not None]
    return Counter((t.dtype, t.shape, t.data.tobytes()) for t in held if t.data is not None)


def _larger(dense: bytes, sparse: bytes) -> str:
    if len(sparse) < len(dense):
        return ""
    return f"the sparse file is larger, {len(dense):,} -> {len(sparse):,} B"


def _outputs(tflite: bytes, runtime: str, graph: Graph, rows: list[Row]) -> list[Row]:
    """`graph` is the dense file's for both: inputs and outputs are the same."""
    with open_runtime(runtime, tflite, isolated=True) as engine:
        return list(run_float(engine, graph, rows))


def _seeded(graph: Graph, seed: int) -> list[Row]:
    specs = [
        TensorSpec(each.name, each.shape, "float32" if each.quantization else each.dtype)
        for each in graph.input_tensors()
    ]
    return seeded_rows(specs, seed, SEEDED, highest_index(graph))


def _difference(graph: Graph, left: Row, right: Row) -> str:
    for tensor, wanted, got in zip(graph.output_tensors(), left, right, strict=True):
        finite = np.isfinite(wanted)
        if not np.array_equal(finite, np.isfinite(got)):
            return f"output '{tensor.name}' is NaN or infinite"
        off = float(np.abs(wanted - got)[finite].max(initial=0.0))
        largest = float(np.abs(wanted)[finite].max(initial=0.0))
        floating = tensor.dtype.startswith("float")
        if off > (TOLERANCE * largest if floating else 0.0):
            return f"output '{tensor.name}' is off by {off:.3g} (its largest is {largest:.3g})"
    return ""


def _left(
    why: str, hint: str = "nothing to do: the dense file is the one that was built"
) -> Problem:
    return Problem("note", _WHERE, f"not used: {why}", hint)
