"""How `rewind` works: which weights stay, where they begin, and how they train."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.bridge.lower import lower
from edgekit.errors import ModelError, UsageError
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._chosen import note
from edgekit.passes._distilled import longer
from edgekit.passes._masks import mask
from edgekit.passes._rewind_options import RewindOptions
from edgekit.passes._supermask import supermask
from edgekit.passes._tickets import Values, place, promises
from edgekit.passes._user_model import user_model
from edgekit.passes.base import Candidate, Context
from edgekit.passes.select import select
from edgekit.problem import Problem

Array = NDArray[Any]
LEARNING_RATE = 2e-2
MASKABLE = ("Conv2D", "Conv2DTranspose", "Conv3D", "Dense")
_PRUNED = 0.1
"""Share of zeros from which they are the mask."""


def rewound(name: str, candidate: Candidate, options: RewindOptions, context: Context) -> Candidate:
    """The candidate with the weights that stay, trained from the start; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    plain = lift(candidate.tflite, form="folded")
    chosen, problems = _chosen(plain, options)
    # inner activations of the trained model would lead the weights away from where they would go
    context = longer(context).tuned({"feature_weight": 0.0})
    start = _start(plain, options, context)
    if options.method == "supermask":
        return supermask(name, candidate, plain, chosen, start, options, context, problems)
    start = _from_where(start, options, context.seed)
    found = _given(plain, chosen)
    shares = [0.0] if found else _shares(options)
    if found and options.rounds > 1:
        raise UsageError(
            "rounds takes weights out, and the model has zeros already",
            "leave rounds out, or prune out",
        )
    for number, share in enumerate(shares, start=1):
        kept = found or _smaller(plain, chosen, share)
        what = f" {number} of {len(shares)}" if len(shares) > 1 else ""
        title = f"training {_percent(kept)} of the weights from their start{what}"
        candidate = _once(name, candidate, kept, start, options, context, title)
        plain = lift(candidate.tflite, form="folded")
    log = (*candidate.log[: -len(shares)], candidate.log[-1])  # rounds are one pass
    return dataclasses.replace(candidate, log=log, problems=(*candidate.problems, *problems))


def _once(
    name: str,
    candidate: Candidate,
    kept: Mapping[str, Array],
    start: Values,
    options: RewindOptions,
    context: Context,
    title: str,
) -> Candidate:
    """Rewind, and train what is kept."""
    fresh = lift(candidate.tflite, form="folded")
    place(fresh, start, kept)
    begun = dataclasses.replace(candidate, tflite=lower(fresh))
    planned, lifted = wrapped.training(context, LEARNING_RATE), lift(begun.tflite)
    promised = promises(lifted.layers, kept)
    held = dataclasses.replace(begun, promises=(*begun.promises, *promised))
    trained = wrapped.train(held, context, lifted, planned, title=title)
    told = {layer: {"sparsity": float((~each).mean())} for layer, each in kept.items()}
    entry = wrapped.make_entry(name, options, planned, trained, told)
    return wrapped.finish(begun, lifted, entry=entry, promises=promised)


def _chosen(plain: Lifted, options: RewindOptions) -> tuple[list[LiftedLayer], list[Problem]]:
    layers = [layer for layer in plain.layers if layer.kind in MASKABLE]
    if not layers:
        raise ModelError("the model has no layer that can be masked", "leave rewind out")
    chosen = select(layers, options.layers, options.exclude)
    if not chosen:
        raise UsageError("exclude leaves no layer over", "exclude fewer layers")
    others = [layer for layer in plain.layers if layer.kind not in MASKABLE]
    hint = "nothing needs doing: their few weights are missed most"
    return list(chosen), note(others, "rewind keeps all weights of {}", hint)


def _start(plain: Lifted, options: RewindOptions, context: Context) -> Values:
    """What the layers began with, by the names that they have in the model."""
    if not options.initial:
        return {}
    found = user_model(options.initial, "initial", context)
    before = lift(found.tflite, form="folded").layers
    ours, theirs = _shapes(plain.layers), _shapes(before)
    if ours != theirs:
        unlike = next((pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1]), ())
        what = f": {unlike[0]} and {unlike[1]}" if unlike else ""
        raise UsageError(
            f"initial: {options.initial} is another network, of {len(theirs)} layers with weights "
            f"where the model has {len(ours)}{what}",
            "give the same network as it was before it was trained",
        )
    return {
        mine.name: (layer.kernel_array(), layer.bias_array())
        for mine, layer in zip(plain.layers, before, strict=True)
    }


def _shapes(layers: Sequence[LiftedLayer]) -> list[str]:
    return [f"{layer.kind} {list(layer.kernel_array().shape)}" for layer in layers]


def _from_where(start: Values, options: RewindOptions, seed: int) -> Values:
    """The initial values, in other places or as signs where that is asked for."""
    random = np.random.default_rng(seed)
    found = {}
    for name, (kernel, bias) in start.items():
        if options.reinitialise:
            kernel = random.permutation(kernel.ravel()).reshape(kernel.shape)
        if options.method == "signs":
            kernel = np.sign(kernel) * kernel.std()
        found[name] = kernel, bias
    return found


def _given(plain: Lifted, chosen: Sequence[LiftedLayer]) -> dict[str, Array]:
    """What is not zero in the model, where enough is; else nothing."""
    kept = {layer.name: layer.kernel_array() != 0 for layer in chosen}
    sizes = sum(each.size for each in kept.values())
    zeros = sizes - sum(int(each.sum()) for each in kept.values())
    return kept if zeros >= _PRUNED * sizes else {}


def _shares(options: RewindOptions) -> list[float]:
    """Of zeros, after each round: the same part of what is left goes in each."""
    left, rounds = 1 - options.sparsity, options.rounds
    return [1 - left ** (number / rounds) for number in range(1, rounds + 1)]


def _smaller(plain: Lifted, chosen: Sequence[LiftedLayer], share: float) -> dict[str, Array]:
    """The largest weights of each layer; what is zero already stays so."""
    names = {layer.name for layer in chosen}
    return {
        layer.name: mask(layer.kernel_array(), share)
        for layer in plain.layers
        if layer.name in names
    }


def _percent(kept: Mapping[str, Array]) -> str:
    left = sum(int(each.sum()) for each in kept.values()) / sum(each.size for each in kept.values())
    return f"{left:.0%}"
