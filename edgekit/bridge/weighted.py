"""The operators with weights in the lifted model: one layer for all that share a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge import layers as made
from edgekit.bridge.call import CannotLift, Shape, compact
from edgekit.bridge.lifted import Form, LiftedLayer, Wrap
from edgekit.bridge.makers import make, thinned, thinning
from edgekit.bridge.names import Names
from edgekit.bridge.ops import fused_activation
from edgekit.bridge.weights import (
    KINDS,
    bias_of,
    has_weights,
    multiplier,
    normalised,
    rows,
    sharing,
)
from edgekit.graph.graph import Graph, Op


class Weighted:
    """Makes the layers with weights, each once, and calls them.

    Args:
        graph: The flatbuffer's.
        names: Of its operators.
        form: See `lift.lift`.
        wrap: See `lift.lift`.
    """

    def __init__(self, graph: Graph, names: Names, form: Form, wrap: Wrap | None) -> None:
        self._graph, self._names, self._form, self._wrap = graph, names, form, wrap
        self._layers: dict[tuple[Any, ...], tuple[LiftedLayer, Any]] = {}

    def layers(self) -> tuple[LiftedLayer, ...]:
        """Those that were called so far, in that order."""
        return tuple(layer for layer, _ in self._layers.values())

    def output(self, op: Op, x: Any) -> Any:
        """The operator's output on x: rows in, its layer, scale, activation, shaped as a sample.

        Raises:
            CannotLift: No layer does what the operator does.
        """
        name, row = self._names.of[op.index], rows(self._graph, op)
        if isinstance(x, np.ndarray):
            raise CannotLift("its input is a constant")
        if tuple(x.shape[1:]) != row:
            x = made.apply(self._names.fresh(f"{name}_rows"), "RESHAPE", x, row)
        x = self._padded(op, x) if thinned(op) else x
        lifted, layer = self._layer(op, tuple(x.shape[1:]))
        y = layer(x)
        y = y if lifted.scale is None else lifted.scale(y)
        y = self._thinned(op, y) if thinned(op) else y
        own = {other.index: layer for other, layer in lifted.biases}
        if op.index in own:
            y = own[op.index](y)
        elif bias_of(op) != lifted.bias:
            offset, row = self._constant(bias_of(op)), tuple(y.shape[1:])
            y = made.apply(self._names.fresh(f"{name}_bias"), "ADD", y, row, offset)
        fused = fused_activation(op.options)
        if fused is not None:
            y = made.apply(self._names.fresh(f"{name}_activation"), fused, y, tuple(y.shape[1:]))
        shape = compact(self._graph.tensors[op.outputs[0]].shape)
        if tuple(y.shape[1:]) != shape:
            y = made.apply(self._names.fresh(f"{name}_sample"), "RESHAPE", y, shape)
        return y

    def _padded(self, op: Op, x: Any) -> Any:
        """The input with what lies outside of it, for a layer that visits every place."""
        paddings, _ = thinning(self._graph, op)
        row = tuple(int(n) for n in paddings[1:].sum(axis=1) + x.shape[1:])
        return made.apply(
            self._names.fresh(f"{self._names.of[op.index]}_pad"), "PAD", x, row, paddings
        )

    def _thinned(self, op: Op, y: Any) -> Any:
        """Of the places that the layer visited, those that the strides lead to."""
        _, steps = thinning(self._graph, op)
        row = self._graph.tensors[op.outputs[0]].shape[1:]
        ends, every = (1, *y.shape[1:]), (1, *steps, 1)
        name = self._names.fresh(f"{self._names.of[op.index]}_strides")
        return made.apply(name, "STRIDED_SLICE", y, row, (0, 0, 0, 0), ends, every)

    def _layer(self, op: Op, row: Shape) -> tuple[LiftedLayer, Any]:
        key = sharing(self._graph, op)
        if key not in self._layers:
            lifted = self._build(op, row, key)
            self._layers[key] = lifted, lifted.layer if self._wrap is None else self._wrap(lifted)
        return self._layers[key]

    def _build(self, op: Op, row: Shape, key: tuple[Any, ...]) -> LiftedLayer:
        kind, name, scale = KINDS[op.name], self._names.of[op.index], None
        calls = [other for other in self._graph.ops if self._key(other) == key]
        biases = {bias_of(call) for call in calls}
        bias = bias_of(op) if len(biases) == 1 else -1
        kernel = self._constant(op.inputs[kind.kernel])
        if kernel.dtype != np.float32:
            raise CannotLift(f"its weights are {kernel.dtype}", "start from the float model")
        offset = self._constant(bias) if bias >= 0 else None
        if self._form == "normalised":
            kernel, largest = normalised(kind, kernel)
            scale = made.scale(self._names.fresh(f"{name}_scale"), largest, offset)
            offset = None
        layer = make(self._graph, op, name, offset is not None)
        layer.build((None, *row))
        weights = [kind.to_keras(kernel, multiplier(self._graph, op))]
        layer.set_weights(weights if offset is None else [*weights, offset])
        ops = tuple(call.index for call in calls)
        apart = self._offsets(calls) if len(biases) > 1 and min(biases) >= 0 else ()
        where = op.inputs[kind.kernel], bias
        return LiftedLayer(name, op, kind.layer, layer, scale, *where, ops, apart)

    def _offsets(self, calls: Sequence[Op]) -> tuple[tuple[Op, Any], ...]:
        """Of each operator the layer that adds its own bias."""
        named = [(call, self._names.fresh(f"{self._names.of[call.index]}_bias")) for call in calls]
        return tuple(
            (call, made.offset(name, self._constant(bias_of(call)))) for call, name in named
        )

    def _key(self, op: Op) -> tuple[Any, ...] | None:
        return sharing(self._graph, op) if has_weights(self._graph, op) else None

    def _constant(self, index: int) -> NDArray[Any]:
        data = self._graph.tensors[index].data
        if data is None:
            raise CannotLift("its bias is computed, not constant")
        return np.array(data)
