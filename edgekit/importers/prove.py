"""The proof of an import: the flatbuffer and the source framework agree on seeded inputs.

Only when they do not are the layers looked at, to name the first one that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import EdgekitError, ModelError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.importers._locate import first_difference
from edgekit.model import TensorSpec
from edgekit.runtimes.litert import LiteRT

Row = tuple[NDArray[Any], ...]
Layers = list[tuple[str, NDArray[Any]]]
TOLERANCE = 1e-4  # float32 sums in another order, some hundred layers deep, stay below
_SMALLEST_RANGE = 0.1  # outputs smaller than this are compared on this scale


def prove(
    tflite: bytes,
    reference: Callable[[Row], Sequence[Any]],
    intermediates: Callable[[Row], Layers] | None = None,
    seed: int = 0,
    samples: int = 3,
    tolerance: float = TOLERANCE,
) -> dict[str, Any]:
    """Compare a float flatbuffer with its source.

    Args:
        tflite: The flatbuffer.
        reference: The source framework's outputs, in the flatbuffer's order and layout, for one
            row: a tuple of arrays of the flatbuffer's input shapes and dtypes.
        intermediates: Name and output of each layer, in the source's order, for one row; called
            only when the outputs differ.
        seed: Of the inputs.
        samples: How many rows: normal, 0..1 and -1..1 in turn.
        tolerance: Largest difference, relative to the largest output (at least 0.1).

    Returns:
        `samples`, `tolerance` (absolute, of the output that differs most), `max_difference`.

    Raises:
        ModelError: They differ; names the first layer that does.
    """
    graph = read(tflite)
    refuse_open_outputs(graph)
    with LiteRT(tflite) as runtime:
        rows = seeded_rows(runtime.inputs, seed, samples, highest_index(graph))
        built = [runtime.run(row) for row in rows]
        names = [spec.name for spec in runtime.outputs]
    expected = [tuple(np.asarray(y) for y in reference(row)) for row in rows]
    worst = (0.0, 0.0, tolerance * _SMALLEST_RANGE, 0)
    for index, name in enumerate(names):
        wanted = _column(expected, index, len(names), name)
        got = np.stack([row[index].reshape(-1) for row in built]).astype(np.float64)
        allowed = tolerance * max(_SMALLEST_RANGE, _largest(wanted))
        differences = _differences(wanted, got, name)
        row, difference = int(np.argmax(differences)), float(np.max(differences))
        worst = max(worst, (difference / allowed, difference, allowed, row))
    if worst[0] > 1.0:
        raise _differs(tflite, intermediates, rows[worst[3]], worst[1], worst[2])
    return {"samples": samples, "tolerance": worst[2], "max_difference": worst[1]}


def refuse_open_outputs(graph: Graph) -> None:
    """Raise ModelError for an output whose size depends on the values: no buffer can hold it."""
    batch = any(tensor.signature[:1] == (-1,) for tensor in graph.input_tensors())
    for tensor in graph.output_tensors():
        if -1 in tensor.signature[1 if batch else 0 :]:
            raise ModelError(
                f"output {tensor.name!r} has no fixed shape: it depends on the values",
                "leave that step, such as picking what is not zero, to the code around the model",
            )


def seeded_rows(
    inputs: Sequence[TensorSpec], seed: int = 0, samples: int = 3, highest: int = 127
) -> list[Row]:
    """Rows for a model's inputs, the same for the same seed; integers are 0..`highest`."""
    rng = np.random.default_rng(seed)
    return [tuple(_values(rng, spec, kind, highest) for spec in inputs) for kind in range(samples)]


def highest_index(graph: Graph) -> int:
    """The largest integer that is safe as an input: an embedding has only so many rows."""
    rows = [127]
    for op in graph.ops:
        table = {"GATHER": 0, "EMBEDDING_LOOKUP": 1}.get(op.name)
        if table is None or graph.tensors[op.inputs[table]].data is None:
            continue
        axis = int(op.options.get("axis", 0))
        rows.append(graph.tensors[op.inputs[table]].shape[axis] - 1)
    return max(min(rows), 0)


def _values(rng: np.random.Generator, spec: TensorSpec, kind: int, highest: int) -> NDArray[Any]:
    dtype = np.dtype(spec.dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, spec.shape).astype(dtype)
    if dtype.kind in "iu":
        return rng.integers(0, highest, spec.shape, endpoint=True).astype(dtype)
    low, high = ((0.0, 1.0), (-1.0, 1.0))[(kind - 1) % 2]
    normal = kind % 3 == 0
    values = rng.standard_normal(spec.shape) if normal else rng.uniform(low, high, spec.shape)
    return np.asarray(values, dtype)


def _column(expected: list[Row], index: int, count: int, name: str) -> NDArray[Any]:
    if any(len(row) != count for row in expected):
        raise ModelError(
            f"the source has {len(expected[0])} outputs, the flatbuffer {count}",
            "export the model again with the outputs you need",
        )
    wanted: NDArray[Any] = np.stack([row[index].reshape(-1) for row in expected]).astype(np.float64)
    if not np.isfinite(wanted).any():
        raise ModelError(
            f"output {name!r} is NaN or infinite for every seeded input: nothing can be proved",
            "check the model in its framework; its weights may have diverged in training",
        )
    return wanted


def _largest(values: NDArray[Any]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max(initial=0.0))


def _differences(wanted: NDArray[Any], got: NDArray[Any], name: str) -> NDArray[Any]:
    """Largest absolute difference of each row; infinite where one side alone is finite."""
    if wanted.shape != got.shape:
        raise ModelError(
            f"output {name!r} has {wanted.shape[1]} values in the source, {got.shape[1]} converted",
            "give the model fixed shapes and export it again",
        )
    finite = np.isfinite(wanted)
    with np.errstate(invalid="ignore"):
        differences: NDArray[Any] = np.where(finite, np.abs(wanted - got), 0.0)
    alike = np.where(finite, np.isfinite(got), (wanted == got) | (np.isnan(wanted) & np.isnan(got)))
    differences[~alike] = np.inf
    largest: NDArray[Any] = differences.max(axis=1, initial=0.0)
    return largest


def _differs(
    tflite: bytes,
    intermediates: Callable[[Row], Layers] | None,
    row: Row,
    difference: float,
    allowed: float,
) -> ModelError:
    layer = None
    if intermediates is not None:
        try:
            layer = first_difference(tflite, intermediates(row), row)
        except EdgekitError:
            layer = None  # the comparison above stands without a name
    where = f"; the first layer that differs is {layer!r}" if layer else ""
    return ModelError(
        f"the converted model differs from its source by {difference:.3g} "
        f"(tolerance {allowed:.3g}){where}",
        "replace that layer by one that converts exactly, or report the model to edgekit",
    )
