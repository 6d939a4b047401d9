"""How `share` works: who is alike, one kernel for them, and training."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from edgekit.bridge.lift import LiftedLayer, lift
from edgekit.errors import ModelError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._share_options import ShareOptions
from edgekit.passes.base import Candidate, Context
from edgekit.passes.promises import Promise
from edgekit.passes.select import select
from edgekit.structure.share import alike, share

Group = Sequence[LiftedLayer]
LEARNING_RATE = 1e-2
"""Layers that get another's kernel have a long way to go."""


def shared(name: str, candidate: Candidate, options: ShareOptions, context: Context) -> Candidate:
    """The candidate with shared kernels, and the promise of who shares them; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    groups = find(candidate.tflite, options)
    tied = share(candidate.tflite, [[each.op.index for each in group] for group in groups])
    assert len(tied) < len(candidate.tflite), "what is stored once takes fewer bytes"
    begun = dataclasses.replace(candidate, tflite=tied)
    planned, lifted = wrapped.training(context, LEARNING_RATE), lift(tied)
    count = sum(len(group) for group in groups)
    title = f"training {count} layers that share {len(groups)} kernel{'s' * (len(groups) > 1)}"
    trained = wrapped.train(begun, context, lifted, planned, title=title)
    told = {
        each.name: {"layers": float(len(group)), "kernel": float(each.kernel_array().size)}
        for group in groups
        for each in group
    }
    first = {group[0].name: len(group) for group in groups}
    promises = [
        Promise(each.name, each.kernel, "shared", first[each.name])
        for each in lifted.layers
        if each.name in first
    ]
    entry = wrapped.make_entry(name, options, planned, trained, told)
    return wrapped.finish(begun, lifted, entry=entry, promises=promises)


def find(tflite: bytes, options: ShareOptions) -> list[Group]:
    """The layers that are to share a kernel, at least two in a group, in the order of the network.

    Raises:
        ModelError: No two layers are alike.
        UsageError: A pattern that matches nothing.
    """
    graph, layers = read(tflite), lift(tflite, form="folded").layers
    chosen = [e for e in select(layers, options.layers, options.exclude) if len(e.ops) == 1]
    found: dict[object, list[LiftedLayer]] = {}
    for layer in chosen:
        found.setdefault(_key(graph, layer), []).append(layer)
    size = options.group or max(len(layers), 2)
    parts: list[Group] = [
        group[start : start + size]
        for group in found.values()
        for start in range(0, len(group), size)
    ]
    groups = [part for part in parts if len(part) > 1]
    if not groups:
        raise ModelError(
            f"no two of {len(chosen)} layers are alike: kind, kernel shape, strides and padding",
            "leave share out, or choose other layers",
        )
    return groups


def _key(graph: Graph, layer: LiftedLayer) -> object:
    """Those with and without biases differ: one that is not there cannot train."""
    return (*alike(graph, layer.op), layer.bias >= 0)
