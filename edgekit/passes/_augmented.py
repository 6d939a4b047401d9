"""How `augment_network` works: a wide network around the model, whose part the model's weights are.

The wide network is the model with copies of its channels. Of a wide kernel what leads from a first
copy to a first copy is the model's own weight; all else is new and trains along. What leads from
new channels to the model's own begins at zero, so that the wide network begins as the model.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.bridge.weights import KINDS, multiplier
from edgekit.errors import ModelError
from edgekit.graph.read import read
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._augment_options import AugmentOptions
from edgekit.passes._wide_layer import Part, wide_layer
from edgekit.passes.base import Candidate, Context
from edgekit.structure.dependencies import Dependencies, dependencies
from edgekit.structure.shrink import shrink

Array = NDArray[Any]
WIDENED = ("Conv2D", "DepthwiseConv2D", "Dense")


def augmented(
    name: str, candidate: Candidate, options: AugmentOptions, context: Context
) -> Candidate:
    """The candidate after training inside a wide network; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    known = dependencies(read(candidate.tflite))
    counts = np.where(known.free, options.width, 1)
    planned, lifted = wrapped.training(context), lift(candidate.tflite)
    _refuse(lifted, known)
    learning = beside(lifted, known, counts, options.weight, context.seed)
    title = f"training inside a network {options.width} times as wide"
    trained = wrapped.train(candidate, context, learning, planned, title=title)
    told = {
        layer.name: {"channels": float(layer.kernel_array().shape[-1])} for layer in lifted.layers
    }
    entry = wrapped.make_entry(name, options, planned, trained, told)
    return wrapped.finish(candidate, lifted, entry=entry)


def beside(lifted: Lifted, known: Dependencies, counts: Array, weight: float, seed: int) -> Lifted:
    """The model, and behind its outputs those of a wide network of which it is a part.

    Args:
        lifted: The model, normalised.
        known: Its units.
        counts: How often each is there in the wide network, [units].
        weight: Of the wide network's loss in the gradients.
        seed: Of the new weights.
    """
    tiny = {layer.name: layer for layer in lifted.layers}

    def wrap(layer: LiftedLayer) -> Any:
        own = tiny[layer.name]
        return wide_layer(own, layer, part_of(own, known, counts), seed + layer.op.index)

    wide = lift(shrink(lifted.data, known, counts), form="folded", wrap=wrap)
    inputs = list(lifted.scores.inputs)
    outputs = _tf.tensorflow().nest.flatten(wide.scores(inputs))
    soft = [_softer(output, weight) for output in outputs]
    both = _tf.tf_keras().Model(inputs, [*lifted.scores.outputs, *soft])
    return dataclasses.replace(lifted, model=both, scores=both)


def part_of(layer: LiftedLayer, known: Dependencies, counts: Array) -> Part:
    """Where in the wide layer the layer's own weights are."""
    kind = KINDS[layer.op.name]
    kernel = known.graph.tensors[layer.op.inputs[kind.kernel]].shape
    firsts = {
        (site.place, site.axis): _firsts(counts[site.units])
        for site in known.sites
        if site.op == layer.op.index
    }
    axes = [
        firsts.get((kind.kernel, axis), np.ones(size, bool)) for axis, size in enumerate(kernel)
    ]
    mine = np.ix_(*axes)
    shape = tuple(len(axis) for axis in axes)
    made = np.zeros(shape, bool)
    np.moveaxis(made, kind.channel, 0)[axes[kind.channel]] = True
    own = np.zeros(shape, bool)
    own[mine] = True
    times = multiplier(known.graph, layer.op)
    bias = firsts.get((kind.bias, 0), axes[kind.channel])
    return Part(kind.to_keras(own, times), kind.to_keras(made, times), bias)


def _firsts(counts: Array) -> Array:
    """Of channels that are there so often: which of the wide network's are first copies."""
    found = np.zeros(int(counts.sum()), bool)
    found[np.cumsum(counts) - counts] = True
    return found


def _softer(scores: Any, weight: float) -> Any:
    """The same scores, whose gradients are times `weight`."""
    tf, keras = _tf.tensorflow(), _tf.tf_keras()
    return keras.layers.Lambda(lambda x: weight * x + (1 - weight) * tf.stop_gradient(x))(scores)


def _refuse(lifted: Lifted, known: Dependencies) -> None:
    if not known.free.any():
        raise ModelError(
            "no channel of the model can have copies: all are inputs or outputs, or held by others",
            "leave augment_network out",
        )
    for layer in lifted.layers:
        if layer.kind not in WIDENED:
            raise ModelError(
                f"{layer.name} is a {layer.kind}, around which there is no wide layer",
                "leave augment_network out",
            )
