"""Which layer of the source is the first whose values the flatbuffer does not have.

Values are compared, not names: a layer is right when some tensor of the flatbuffer holds its
output, in whatever layout. Fused layers (Conv + BatchNormalization + ReLU) have no tensor of
their own; what leads to a right tensor is right, too. Left is the first operator that turns
right inputs into a wrong output, and of the source's layers there the one whose name it carries.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.graph.graph import Graph, Op
from edgekit.graph.read import read
from edgekit.runtimes.litert import tensors

Layers = list[tuple[str, NDArray[Any]]]
_TOLERANCE = 1e-3  # relative; looser than the proof's, for sums inside the net are larger


def first_difference(tflite: bytes, layers: Layers, row: tuple[NDArray[Any], ...]) -> str | None:
    """The first layer that differs on `row`, or None where values do not show one.

    Args:
        tflite: The flatbuffer.
        layers: Name and output of each layer of the source, in its order, on `row`.
        row: One array for each input of the flatbuffer.

    Raises:
        ModelError: The flatbuffer cannot be read or run.
    """
    graph = read(tflite)
    values = tensors(tflite, row)
    sources = _matches(layers, values)
    good = _ancestors(graph, set(sources) | _given(graph))
    culprit = next((op for op in graph.ops if _turns_wrong(op, good)), None)
    if culprit is None:
        return None
    right = {name for names in sources.values() for name in names}
    order = [name for name, _ in layers]
    before = [order.index(n) for i in culprit.inputs for n in sources.get(i, ())]
    wrong = [name for name in order[max(before, default=-1) + 1 :] if name not in right]
    words = _words(graph, culprit)
    named = [name for name in wrong if name.rpartition("/")[2] in words]
    return next(iter(named or wrong), None)


def _matches(layers: Layers, values: dict[int, NDArray[Any]]) -> dict[int, list[str]]:
    """Tensor index -> names of the layers whose output it holds."""
    ready = {index: _squeezed(value) for index, value in values.items()}
    found: dict[int, list[str]] = {}
    for name, output in layers:
        wanted = _squeezed(output)
        for index, got in ready.items():
            if _same(wanted, got):
                found.setdefault(index, []).append(name)
    return found


def _squeezed(value: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(value, np.float64).squeeze()


def _same(wanted: NDArray[Any], got: NDArray[Any]) -> bool:
    if wanted.size != got.size or wanted.size == 0 or not np.isfinite(wanted).all():
        return False
    if np.ptp(wanted) == 0:
        return False  # a constant (a dead layer) equals too much to be evidence
    if wanted.shape != got.shape or wanted.ndim > 1:
        # Another layout, perhaps: the sorted values are the same in any
        wanted, got = np.sort(wanted, axis=None), np.sort(got, axis=None)
    return bool(np.abs(wanted - got).max() <= _TOLERANCE * np.abs(wanted).max())


def _given(graph: Graph) -> set[int]:
    constants = {t.index for t in graph.tensors if t.data is not None or t.variable}
    return constants | set(graph.inputs) | {-1}


def _ancestors(graph: Graph, good: set[int]) -> set[int]:
    for op in reversed(graph.ops):
        if good.intersection(op.outputs):
            good = good.union(op.inputs)
    return good


def _turns_wrong(op: Op, good: set[int]) -> bool:
    return good.issuperset(op.inputs) and not good.intersection(op.outputs)


def _words(graph: Graph, op: Op) -> set[str]:
    """Parts of the names of the operator's tensors, with and without the tracer's counter."""
    indices = [i for i in (*op.outputs, *op.inputs[1:]) if i >= 0]
    words = {w for i in indices for w in re.split(r"[/;:]", graph.tensors[i].name)}
    return words | {re.sub(r"_\d+$", "", word) for word in words}
