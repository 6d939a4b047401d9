"""A network inside an untrained one: scores say which weights there are, and only they train.

Edge-popup (Ramanujan et al. 2020, arXiv:1911.13299): of each layer the weights with the largest
scores are there in every step, and a score learns as if its weight were there in proportion.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.bridge.lower import lower
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._rewind_options import RewindOptions
from edgekit.passes._tickets import Values, place, promises
from edgekit.passes.base import Candidate, Context
from edgekit.problem import Problem

Array = NDArray[Any]
LEARNING_RATE = 5e-2
ZEROS = ("sparsity", "block", "n_m")
"""Promises that the new mask takes the place of."""


def supermask(
    name: str,
    candidate: Candidate,
    plain: Lifted,
    chosen: Sequence[LiftedLayer],
    start: Values,
    options: RewindOptions,
    context: Context,
    problems: Sequence[Problem],
) -> Candidate:
    """The candidate with untrained weights, of which those that do best together are left.

    Args:
        name: Of the pass.
        candidate: Of which the graph is taken.
        plain: It, folded.
        chosen: Layers that get a mask; the others are untrained, too.
        start: Untrained weights; empty: one number a layer with random signs.
        options: Of the pass.
        context: Rows, teacher, seed.
        problems: To be told.
    """
    values = start or _signed(plain, context.seed)
    names, scale = {layer.name for layer in chosen}, (1 - options.sparsity) ** -0.5
    values = {
        each: (kernel * (scale if each in names else 1), bias)
        for each, (kernel, bias) in values.items()
    }
    place(plain, values, {})
    tflite = lower(plain)
    masked: dict[str, tuple[LiftedLayer, Any]] = {}

    def wrap(layer: LiftedLayer) -> Any:
        if layer.name not in names:
            layer.layer.trainable = False
            return layer.layer
        seed = context.seed + len(masked)
        masked[layer.name] = layer, _class()(layer, options.sparsity, seed)
        return masked[layer.name][1]

    lifted = lift(tflite, form="folded", wrap=wrap)
    planned = wrapped.training(context, LEARNING_RATE)
    title = f"choosing {1 - options.sparsity:.0%} of untrained weights"
    held = list(masked)
    before = Candidate(tflite, mates=candidate.mates, kept=candidate.kept)
    trained = wrapped.train(before, context, lifted, planned, holding=held, title=title)
    kept = {each: np.asarray(wrapper.mask()) != 0 for each, (_, wrapper) in masked.items()}
    for each, (layer, _) in masked.items():
        layer.kernel_variable.assign(np.asarray(layer.kernel_variable) * kept[each])
    told = {each: {"sparsity": float((~stays).mean())} for each, stays in kept.items()}
    others = [each for each in candidate.promises if each.kind not in ZEROS]
    return wrapped.finish(
        dataclasses.replace(candidate, promises=tuple(others)),
        lifted,
        entry=wrapped.make_entry(name, options, planned, trained, told),
        promises=promises(lifted.layers, kept),
        problems=problems,
    )


def _signed(plain: Lifted, seed: int) -> Values:
    """One number with random signs in each layer, of the size of He et al. 2015."""
    random = np.random.default_rng(seed)
    found = {}
    for layer in plain.layers:
        shape = layer.kernel_array().shape
        inputs = (
            int(np.prod(shape[:-1])) if layer.kind != "DepthwiseConv2D" else shape[0] * shape[1]
        )
        kernel = random.choice([-1.0, 1.0], shape) * np.sqrt(2 / inputs)
        bias = layer.bias_array()
        found[layer.name] = kernel, None if bias is None else np.zeros(bias.shape)
    return found


@cache
def _class() -> Any:
    keras, tf = _tf.tf_keras(), _tf.tensorflow()

    class Supermask(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """The layer that is called; of what it stands for nothing trains."""

        def __init__(self, of: LiftedLayer, sparsity: float, seed: int) -> None:
            super().__init__(name=f"{of.name}_mask")
            of.layer.trainable = False
            self.inner = of.layer
            self._kernel = tf.constant(np.asarray(of.kernel_variable))
            begin = keras.initializers.RandomUniform(0.0, 1.0, seed=seed)
            size = int(np.prod(self._kernel.shape))
            self._cut = min(round(size * sparsity), size - 1)
            self.scores = self.add_weight("scores", self._kernel.shape, initializer=begin)

        def mask(self) -> Any:
            """1 for the weights that are there."""
            sizes = tf.abs(self.scores)
            return tf.cast(sizes >= tf.sort(tf.reshape(sizes, [-1]))[self._cut], tf.float32)

        def call(self, x: Any) -> Any:
            """As the layer would, with the weights that are there."""
            sizes = tf.abs(self.scores)
            there = self.mask() + sizes - tf.stop_gradient(sizes)
            stored, self.inner.kernel = self.inner.kernel, self._kernel * there
            found = self.inner(x)
            self.inner.kernel = stored
            return found

    return Supermask
