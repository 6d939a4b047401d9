"""How `skip` works: gates learn softly, then harder and harder, and end open or closed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from edgekit import _tf
from edgekit.bridge.lift import lift
from edgekit.bridge.names import layer_names
from edgekit.errors import ModelError
from edgekit.exits.gates import Gates
from edgekit.graph.read import read
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._skip_options import SkipOptions
from edgekit.passes.base import Candidate, Context
from edgekit.structure.gates import OPEN, Branch, add_gates, branches, harden, initial

_RATE = 1e-2
"""Learning rate: gates begin with random weights."""
_SOFT = 0.5
"""Share of the training in which gates may be half open, ever less."""
_SLOPE = 64.0
"""Of a hardened gate: half open is what lies within 1/128 of the middle."""


def skipped(name: str, candidate: Candidate, options: SkipOptions, context: Context) -> Candidate:
    """The candidate with gates, fine-tuned; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    graph = read(candidate.tflite)
    found = branches(graph)
    if not found:
        raise ModelError(
            "there is no residual branch: nothing is added to what a block takes in",
            "leave skip out: it is for residual networks",
        )
    random = np.random.default_rng(context.seed)
    widths = [graph.tensors[branch.start].shape[-1] for branch in found]
    gates = [initial(random, width, options.hidden) for width in widths]
    tflite, given = add_gates(candidate.tflite, found, gates)
    # inner activations of what was skipped are not the original's, and need not be
    context = context.tuned({"feature_weight": 0.0})
    planned, steps = wrapped.training(context, _RATE), _Hardness()
    lifted = lift(tflite, after=lambda index: steps.layer() if index in given else None)
    shares = [branch.macs / sum(each.macs for each in found) for branch in found]
    lifted = dataclasses.replace(lifted, watched=given, penalty=_penalty(shares, options))
    trained = wrapped.train(
        dataclasses.replace(candidate, tflite=tflite),
        context,
        lifted,
        planned,
        callbacks=[steps.callback(max(1, round(_SOFT * planned.options.epochs)))],
        keep_from=_SOFT,
        title=f"{len(found)} gate{'s' * (len(found) > 1)}",
    )
    names = layer_names(graph)
    layers = tuple(names[branch.addition] for branch in found)
    entry = wrapped.make_entry(name, options, planned, trained, _told(layers, found))
    after = wrapped.finish(candidate, lifted, entry=entry)
    hard = harden(after.tflite, given, _SLOPE)
    return dataclasses.replace(after, tflite=hard, gates=Gates(layers))


def _penalty(shares: Sequence[float], options: SkipOptions) -> Any:
    """A function of the gates' answers in a batch: how far from `skipped` they are."""

    def penalty(answers: Sequence[Any]) -> Any:
        tf = _tf.tensorflow()
        means = [tf.reduce_mean(answer) / OPEN for answer in answers]
        run = sum(share * mean for share, mean in zip(shares, means, strict=True))
        return options.weight * tf.square(run - (1 - options.skipped))

    return penalty


def _told(layers: Sequence[str], found: Sequence[Branch]) -> dict[str, dict[str, float]]:
    return {name: {"macs": float(branch.macs)} for name, branch in zip(layers, found, strict=True)}


class _Hardness:
    """How hard gates are: 0, as RELU6 has them, to 1, open or closed."""

    def __init__(self) -> None:
        self._value = _tf.tensorflow().Variable(0.0, trainable=False)

    def layer(self) -> Any:
        """What is applied to a gate's answer."""
        return _layer()(lambda: self._value)

    def callback(self, epochs: int) -> Any:
        """Hardens from nothing to all in so many epochs, in steps; hard in the last of them."""
        value = self._value

        class Ramp(_tf.tf_keras().callbacks.Callback):  # type: ignore[misc]
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                value.assign(min(1.0, epoch / epochs))

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                value.assign(min(1.0, (epoch + 1) / epochs))

        return Ramp()


@cache
def _layer() -> Any:
    keras, tf = _tf.tf_keras(), _tf.tensorflow()

    class Hard(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Open or closed as far as it is hard, with the gradient of what is soft."""

        def __init__(self, hardness: Any, **settings: Any) -> None:
            super().__init__(**settings)
            self.hardness = hardness

        def call(self, x: Any) -> Any:
            """The gate's answer, 0 to 6."""
            hard = OPEN * tf.cast(x >= OPEN / 2, x.dtype)
            share = self.hardness()
            return x + tf.stop_gradient(share * (hard - x))

    return Hard
