"""The model as it is measured: lifted once, changed in place, and put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import lift
from edgekit.bridge.weights import KINDS
from edgekit.sensitivities.changes import Change, Kernels
from edgekit.training.objective import Objective
from edgekit.training.options import FineTune
from edgekit.training.rows import Rows
from edgekit.training.step import variance

_BATCH = 64
Arrays = list[NDArray[Any]]


class Probe:
    """A model that single changes are tried on.

    Args:
        tflite: The float flatbuffer.
        rows: To measure on.
        scales: Tensor index of an activation -> of the one whose int8 scale it has.

    Attributes:
        lifted: The model.
        outputs: Of the original, [rows, ...] each.
    """

    def __init__(self, tflite: bytes, rows: Rows, scales: Mapping[int, int]) -> None:
        self._rows, self._scales = rows, scales
        self._spans = {source: _Span() for source in dict.fromkeys(scales.values())}
        self.lifted = lift(tflite, form="folded", after=self._after if scales else None)
        self._network = self._traced()
        self._scores, self.outputs = self._run()
        self._loss = Objective(
            heads=self.lifted.heads,
            variances=tuple(map(variance, self._scores)),
            temperature=FineTune().temperature,
        )

    def calibrate(self, rows: Rows) -> None:
        """Take the range of each activation that decides a scale from these rows."""
        chosen = [index for index in self._spans if index in self.lifted.activations]
        values = [self.lifted.activations[index] for index in chosen]
        network = _tf.tf_keras().Model(self.lifted.model.inputs, values)
        for batch in _batches(rows):
            found = _tf.tensorflow().nest.flatten(network(batch, training=False))
            for index, value in zip(chosen, found, strict=True):
                self._spans[index].see(np.asarray(value))

    def measure(self, change: Change) -> tuple[float, Arrays]:
        """How far the changed model's scores are from the original's, and its outputs."""
        with self._changed(change.kernels()), self._rounded(change.rounded):
            scores, outputs = self._run()
        pairs = zip(scores, self._scores, strict=True)
        tensors = [[_tf.tensorflow().constant(each) for each in pair] for pair in pairs]
        mine, wanted = zip(*tensors, strict=True)
        return float(self._loss(mine, wanted)), outputs

    @contextmanager
    def _changed(self, kernels: Kernels) -> Iterator[None]:
        changed = [layer for layer in self.lifted.layers if layer.kernel in kernels]
        variables = [layer.kernel_variable for layer in changed]
        before = [np.asarray(variable) for variable in variables]
        for layer, variable in zip(changed, variables, strict=True):
            kind, many = KINDS[layer.op.name], variable.shape[-1]
            variable.assign(kind.to_keras(np.asarray(kernels[layer.kernel], np.float32), many))
        try:
            yield
        finally:
            for variable, values in zip(variables, before, strict=True):
                variable.assign(values)

    @contextmanager
    def _rounded(self, source: int | None) -> Iterator[None]:
        span = None if source is None else self._spans[source]
        if span is not None:
            span.switch(True)
        try:
            yield
        finally:
            if span is not None:
                span.switch(False)

    def _after(self, index: int) -> Any:
        if index not in self._scales:
            return None
        return _rounding()(self._spans[self._scales[index]])

    def _traced(self) -> Any:
        tf, lifted = _tf.tensorflow(), self.lifted
        both = [*lifted.scores.outputs, *lifted.model.outputs]
        network = _tf.tf_keras().Model(list(lifted.model.inputs), both)
        entries = [tf.TensorSpec(entry.shape, entry.dtype) for entry in lifted.model.inputs]

        @tf.function(input_signature=[entries])  # type: ignore[untyped-decorator]
        def run(batch: Sequence[Any]) -> Any:
            return tf.nest.flatten(network(batch, training=False))

        return run.get_concrete_function()

    def _run(self) -> tuple[Arrays, Arrays]:
        """Scores and outputs of all rows, [rows, ...] each."""
        entries = self.lifted.model.inputs
        parts: list[list[Any]] = []
        for batch in _batches(self._rows):
            cast = [_tf.tensorflow().cast(a, e.dtype) for a, e in zip(batch, entries, strict=True)]
            parts.append([np.asarray(each) for each in self._network(*cast)])
        arrays = [np.concatenate(each) for each in zip(*parts, strict=True)]
        count = len(self.lifted.heads)
        return arrays[:count], arrays[count:]


class _Span:
    """The range of an int8 activation, and whether it is in force."""

    def __init__(self) -> None:
        tf = _tf.tensorflow()
        self.low, self.high = (tf.Variable(np.float32(0), trainable=False) for _ in range(2))
        self.on = tf.Variable(False, trainable=False)

    def see(self, values: NDArray[Any]) -> None:
        self.low.assign(min(float(self.low.numpy()), float(values.min())))
        self.high.assign(max(float(self.high.numpy()), float(values.max())))

    def switch(self, on: bool) -> None:
        # a range of nothing, of an activation that is always 0, is no range to round on
        self.on.assign(on and bool(self.high.numpy() > self.low.numpy()))


@cache
def _rounding() -> Any:
    tf, keras = _tf.tensorflow(), _tf.tf_keras()

    class Rounding(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Rounds to int8 while its span is on."""

        def __init__(self, span: _Span) -> None:
            super().__init__()
            self.span = span

        def call(self, x: Any) -> Any:
            """The activation, rounded or as it is."""
            span, quantized = self.span, tf.quantization.fake_quant_with_min_max_vars
            return tf.cond(span.on, lambda: quantized(x, span.low, span.high), lambda: x)

    return Rounding


def _batches(rows: Rows) -> Iterator[list[Any]]:
    tensor = _tf.tensorflow().constant
    for start in range(0, len(rows), _BATCH):
        chosen = np.arange(start, min(start + _BATCH, len(rows)))
        yield [tensor(array) for array in rows.batch(chosen)]
