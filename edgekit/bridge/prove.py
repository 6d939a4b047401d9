"""The proof of a crossing: the lifted model and the flatbuffer agree on seeded inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.call import compact
from edgekit.bridge.lift import Lifted
from edgekit.bridge.names import layer_names
from edgekit.errors import EdgekitError, ModelError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.importers.prove import highest_index, seeded_rows
from edgekit.runtimes.litert import LiteRT, tensors

TOLERANCE = 1e-4  # float32 sums in another order, some hundred layers deep, stay below
_LAYER_TOLERANCE = 1e-3  # looser: sums inside the net are larger than what comes out
_SMALLEST_RANGE = 0.1  # outputs smaller than this are compared on this scale
Row = tuple[NDArray[Any], ...]


def prove(
    lifted: Lifted,
    data: bytes | None = None,
    seed: int = 0,
    samples: int = 3,
    tolerance: float = TOLERANCE,
) -> float:
    """Compare a lifted model, run on one batch of seeded rows, with a flatbuffer run row by row.

    Args:
        lifted: The model.
        data: What it is to be equal to: after training, what `lower` made; default: the flatbuffer
            it was lifted from.
        seed: Of the rows.
        samples: How many rows.
        tolerance: Largest difference, relative to the largest output (at least 0.1).

    Returns:
        The largest absolute difference of the outputs.

    Raises:
        ModelError: They differ; names the first layer that does.
    """
    data = lifted.data if data is None else data
    graph = read(data)
    with LiteRT(data) as runtime:
        rows = seeded_rows(runtime.inputs, seed, samples, highest_index(graph))
        wanted = [runtime.run(row) for row in rows]
    outputs = _run(lifted.model, rows, graph)
    worst = 0.0
    for index, output in enumerate(outputs):
        flat = np.stack([row[index].reshape(-1) for row in wanted])
        difference, allowed = _difference(flat, output.reshape(samples, -1), tolerance)
        if difference > allowed:
            raise _differs(lifted, data, rows, difference, allowed)
        worst = max(worst, difference)
    return worst


def _run(model: Any, rows: list[Row], graph: Graph) -> list[NDArray[Any]]:
    shapes = [compact(tensor.shape) for tensor in graph.input_tensors()]
    batches = [
        np.stack([row[place] for row in rows]).reshape(len(rows), *shape)
        for place, shape in enumerate(shapes)
    ]
    outputs = model(batches if len(batches) > 1 else batches[0], training=False)
    return [np.asarray(output) for output in _tf.tensorflow().nest.flatten(outputs)]


def _difference(wanted: Any, got: Any, tolerance: float) -> tuple[float, float]:
    """The largest absolute difference, infinite where one side alone is finite; and what may be."""
    wanted, got = np.asarray(wanted, np.float64), np.asarray(got, np.float64)
    finite = np.isfinite(wanted)
    allowed = tolerance * max(np.abs(wanted[finite]).max(initial=0.0), _SMALLEST_RANGE)
    same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    with np.errstate(invalid="ignore"):
        difference = np.where(finite, np.abs(wanted - got), np.where(same, 0.0, np.inf))
    return float(np.nan_to_num(difference, nan=np.inf).max(initial=0.0)), float(allowed)


def _differs(
    lifted: Lifted, data: bytes, rows: list[Row], difference: float, allowed: float
) -> ModelError:
    layer = _first_difference(lifted, data, rows)
    where = f"; the first layer that differs is '{layer}'" if layer else ""
    return ModelError(
        f"the model for training differs from the flatbuffer by {difference:.3g} "
        f"(tolerance {allowed:.3g}){where}",
        "leave the training passes out, or report the model to edgekit",
    )


def _first_difference(lifted: Lifted, data: bytes, rows: list[Row]) -> str | None:
    graph = read(data)
    known = [index for index in lifted.activations if index not in graph.inputs]
    model = _tf.tf_keras().Model(lifted.model.inputs, [lifted.activations[i] for i in known])
    for row in rows:
        try:
            wanted = tensors(data, row)
        except EdgekitError:  # an operator without a reference kernel
            return None
        got = dict(zip(known, _run(model, [row], graph), strict=True))
        for op in graph.ops:
            for index in (i for i in op.outputs if i in wanted and i in got):
                pair = wanted[index].reshape(-1), got[index].reshape(-1)
                difference, allowed = _difference(*pair, _LAYER_TOLERANCE)
                if difference > allowed:
                    return layer_names(graph)[op.index]
    return None
