"""A float flatbuffer -> a tf_keras model of trainable layers that computes the same for any batch.

Layers with weights become Conv2D, DepthwiseConv2D, Dense, Conv2DTranspose or Conv3D, everything
else a layer that computes the operator as the flatbuffer means it. `lower` writes what was trained
back into the same flatbuffer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgekit import _tf
from edgekit._converter_errors import one_line
from edgekit.bridge import layers as made
from edgekit.bridge.call import Call, CannotLift, compact
from edgekit.bridge.heads import Head, head_of
from edgekit.bridge.lifted import After, Form, Lifted, LiftedLayer, Wrap
from edgekit.bridge.names import Names
from edgekit.bridge.ops import CONSTANT, constants
from edgekit.bridge.weighted import Weighted
from edgekit.bridge.weights import KINDS, has_weights
from edgekit.errors import ModelError
from edgekit.graph.graph import Graph, Op
from edgekit.graph.read import read

__all__ = ["Lifted", "LiftedLayer", "lift"]


def lift(
    data: bytes,
    *,
    form: Form = "normalised",
    wrap: Wrap | None = None,
    after: After | None = None,
) -> Lifted:
    """Make a trainable model of a float flatbuffer.

    Args:
        data: The flatbuffer.
        form: `folded`: layers hold the flatbuffer's kernels and biases. `normalised`: a layer holds
            its kernel divided by the largest magnitude of each output channel, and a layer behind
            it multiplies that back and adds the bias. It trains as well as with
            BatchNormalization and needs no statistics of batches.
        wrap: Takes a layer that is built and holds its weights; returns the layer to call instead.
        after: Takes the tensor index of an activation, graph inputs included; returns a layer to
            apply to it for all its readers (behind a fused activation), or None.

    Raises:
        ModelError: An operator has no trainable counterpart; names it and its layer.
    """
    graph = read(data)
    lifting = _Lifting(graph, data, form, wrap, after)
    # Rewritten by AutoGraph, layers take longer and tell their refusals as "in user code"
    plain = _tf.tensorflow().autograph.experimental.do_not_convert
    lifted: Lifted = plain(lifting.run)()
    return lifted


class _Lifting:
    """The state of one lift."""

    def __init__(
        self, graph: Graph, data: bytes, form: Form, wrap: Wrap | None, after: After | None
    ) -> None:
        self.graph, self.data, self.after = graph, data, after
        self.names = Names(graph)
        self.weighted = Weighted(graph, self.names, form, wrap)
        self.values: dict[int, Any] = {}
        self.constants = {t.index: np.array(t.data) for t in graph.tensors if t.data is not None}

    def run(self) -> Lifted:
        inputs = [self._input(index) for index in self.graph.inputs]
        for op in self.graph.ops:
            self._lift(op)
        outputs = [self._output(index) for index in self.graph.outputs]
        heads, scores = zip(*map(self._head, self.graph.outputs), strict=True)
        return Lifted(
            model=_model(inputs, outputs),
            scores=_model(inputs, scores),
            heads=heads,
            layers=self.weighted.layers(),
            activations=dict(self.values),
            data=self.data,
        )

    def _input(self, index: int) -> Any:
        tensor = self.graph.tensors[index]
        entry = _tf.tf_keras().layers.Input(compact(tensor.shape), dtype=tensor.dtype)
        self._keep(index, entry)
        return entry

    def _keep(self, index: int, value: Any) -> None:
        layer = self.after(index) if self.after is not None else None
        self.values[index] = value if layer is None else layer(value)

    def _lift(self, op: Op) -> None:
        try:
            if has_weights(self.graph, op):
                x = self._value(op.inputs[KINDS[op.name].x])
                self._keep(op.outputs[0], self.weighted.output(op, x))
            else:
                self._computed(op)
        except CannotLift as reason:
            raise self._refusal(op, reason) from None
        except (ValueError, TypeError, KeyError, _tf.tensorflow().errors.OpError) as error:
            raise self._refusal(op, CannotLift(one_line(error))) from error

    def _refusal(self, op: Op, reason: CannotLift) -> ModelError:
        kind = f"custom operator {op.name}" if op.custom else op.name
        return ModelError(
            f"layer '{self.names.of[op.index]}' (operator {op.index}, {kind}) cannot be trained: "
            f"{reason}",
            reason.hint,
        )

    def _computed(self, op: Op) -> None:
        if op.custom:
            raise CannotLift("edgekit does not know what it computes")
        if op.name in KINDS and op.name != "FULLY_CONNECTED":
            raise CannotLift("its weights are computed, not constant")
        call = self._call(op)
        tensors = [self.values[index] for index in op.inputs if index in self.values]
        if not tensors or op.name in CONSTANT:
            self.constants.update(zip(op.outputs, constants(call), strict=True))
            return
        results = made.operator(self.names.of[op.index], call, tensors)
        for index, result in zip(op.outputs, results, strict=True):
            self._keep(index, result)

    def _call(self, op: Op) -> Call:
        tensors = self.graph.tensors
        return Call(
            name=op.name,
            options=op.options,
            values=tuple(self._value(index) for index in op.inputs),
            shapes=tuple(tensors[index].shape if index >= 0 else () for index in op.inputs),
            outputs=tuple(tensors[index].shape for index in op.outputs),
            dtype=tensors[op.outputs[0]].dtype if op.outputs else "",
        )

    def _value(self, index: int) -> Any:
        if index < 0:
            return None
        if self.graph.tensors[index].variable:
            return np.zeros(self.graph.tensors[index].shape, np.float32)  # as every run starts
        return self.values[index] if index in self.values else self.constants[index]

    def _output(self, index: int) -> Any:
        if index not in self.values:
            raise ModelError(
                f"output '{self.graph.tensors[index].name}' does not depend on the input",
                "export the model without that output",
            )
        return self.values[index]

    def _head(self, output: int) -> tuple[Head, Any]:
        head, op = head_of(self.graph, output)
        if op is None:
            return head, self._output(output)
        scores, shape = self._value(op.inputs[0]), compact(self.graph.tensors[output].shape)
        beta = float(op.options.get("beta", 1.0)) if op.name == "SOFTMAX" else 1.0
        if beta != 1.0:
            row = tuple(scores.shape[1:])
            scores = made.apply(
                self.names.fresh("scores"), "MUL", scores, row, np.array([beta], np.float32)
            )
        if shape[-1:] == tuple(scores.shape[-1:]) and shape != tuple(scores.shape[1:]):
            scores = made.apply(self.names.fresh("scores"), "RESHAPE", scores, shape)
        return head, scores


def _model(inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    return _tf.tf_keras().Model(_single(inputs), _single(outputs))


def _single(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)
