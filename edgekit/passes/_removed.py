"""How `remove` works: units are judged and silenced in rounds, then cut out, then it trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import lift
from edgekit.bridge.lower import lower
from edgekit.bridge.names import layer_names
from edgekit.bridge.weights import KINDS
from edgekit.errors import ModelError, UsageError
from edgekit.graph.read import read
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._amount import choose
from edgekit.passes._blocks import without_blocks
from edgekit.passes._budget import Budget
from edgekit.passes._curves import losses
from edgekit.passes._importance import importance
from edgekit.passes._measured import Measured
from edgekit.passes._refit import Refit
from edgekit.passes._remove_options import RemoveOptions
from edgekit.passes._remove_plan import fused, stuck, tables, wanted
from edgekit.passes.base import Candidate, Context
from edgekit.passes.select import Layer
from edgekit.problem import Problem
from edgekit.structure.dead import dead
from edgekit.structure.dependencies import Dependencies, dependencies
from edgekit.structure.groups import Cost, Group, groups
from edgekit.structure.shrink import shrink
from edgekit.structure.silence import silence
from edgekit.structure.units import Mask

_FROM_SCRATCH = 2e-2
"""Learning rate. ResNet8, half of its work, 4 epochs: 36 % right on the test pictures; with 3e-3
and inner activations to follow, which suit trained networks, 9 %."""
_SEEN = 64
"""Rows that the scale of a layer without memory is taken on."""


def removed(name: str, candidate: Candidate, options: RemoveOptions, context: Context) -> Candidate:
    """The candidate with fewer channels; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    layers = lift(candidate.tflite, form="folded").layers
    makers: list[Layer] = [*layers, *tables(dependencies(read(candidate.tflite)))]
    shallow, gone = without_blocks(candidate, options, context)
    known = dependencies(read(shallow.tflite))
    found, shares = wanted(makers, groups(known), options, fused(known))
    budget = _budget(candidate.tflite, shallow.tflite, options, context)
    enough = budget is None or (gone and budget.holds(np.ones(known.count, bool)))
    if any(shares.values()) or not enough:
        tflite, keep = _silenced(shallow.tflite, known, found, shares, options, context, budget)
    else:
        tflite, keep = shallow.tflite, dead(known)
    smaller = _cut_out(shallow, tflite, known, keep)
    left = {each: {"channels": 0.0, "of": _width(candidate.tflite, each)} for each in gone}
    left |= _left(known, keep)
    if tflite is candidate.tflite and not options.from_scratch:  # nothing needs to be made up for
        entry = wrapped.make_entry(name, options, wrapped.training(context), {}, left)
        return dataclasses.replace(smaller, log=(*candidate.log, entry))
    if options.from_scratch:
        smaller = dataclasses.replace(smaller, tflite=_forgotten(smaller.tflite, context))
    return _trained(name, smaller, left, options, context, stuck(groups(known)))


def _silenced(
    tflite: bytes,
    known: Dependencies,
    found: list[Group],
    shares: Mapping[int, float],
    options: RemoveOptions,
    context: Context,
    budget: Budget | None,
) -> tuple[bytes, Mask]:
    """The flatbuffer with some units silenced, and which stay."""
    context.progress.step(f"choosing channels of {len(found)} group{'s' * (len(found) > 1)}")
    keep, silenced = np.ones(known.count, bool), tflite
    sensitive = options.allocate == "sensitivity"
    curves = losses(found, tflite, options, context) if sensitive else None
    refit = Refit(tflite, known, context) if options.refit else None
    for number in range(1, options.rounds + 1):
        scores = importance(options.criterion, silenced, known, context)
        _refuse_nan(scores)
        scores[~keep] = -np.inf
        part = number / options.rounds
        keep = choose(found, shares, scores, options, budget, part, curves)
        brief = number < options.rounds
        silenced = refit(keep, brief) if refit else silence(tflite, known, keep)
        context.progress.advance(number, options.rounds)
    if keep.all():
        raise UsageError(
            "nothing leaves: the share is less than a channel of any group",
            "ask for more, write multiple = 1, lower least, or leave this pass out",
        )
    return silenced, keep


def _budget(whole: bytes, tflite: bytes, options: RemoveOptions, context: Context) -> Budget | None:
    """Shares are of the `whole` network, of which blocks may have left `tflite`."""
    if not options.budget:
        return None
    wholes = None if tflite is whole else _budget(whole, whole, options, context)
    known, measure = dependencies(read(tflite)), options.measure
    measured = Measured(measure, tflite, known, context) if measure else None
    return Budget(Cost(known), options, known.count, measured, wholes.wholes if wholes else None)


def _refuse_nan(scores: NDArray[Any]) -> None:
    if not np.isfinite(scores).all():
        raise ModelError(
            "the model gives NaN or infinity, so that its channels cannot be judged",
            "check the model and its preprocessing",
        )


def _cut_out(candidate: Candidate, tflite: bytes, known: Dependencies, keep: Mask) -> Candidate:
    """The candidate without the units, and with what is left of the original's channels."""
    kept = dict(candidate.kept)
    for output in (op.outputs[0] for op in known.graph.ops if op.name in KINDS):
        if output in known.places:
            units = known.places[output].units
            kept[output] = kept.get(output, np.arange(len(units)))[keep[units]]
    return dataclasses.replace(candidate, tflite=shrink(tflite, known, keep), kept=kept)


def _forgotten(tflite: bytes, context: Context) -> bytes:
    """The network as before any training, each layer scaled so that what it gives has variance 1.

    The original's batch normalization is in its weights: without that scale, inputs of 0 to 255
    would not train. Source: Mishkin and Matas 2016 (LSUV), arXiv:1511.06422.
    """
    random, lifted = np.random.default_rng(context.seed), lift(tflite, form="folded")
    batch = [_tf.tensorflow().constant(a) for a in context.rows.batch(context.rows.some()[:_SEEN])]
    for layer in lifted.layers:
        kernel = layer.kernel_variable
        kernel.assign(random.normal(size=tuple(kernel.shape)))
        if layer.layer.bias is not None:
            layer.layer.bias.assign(np.zeros(layer.layer.bias.shape))
        output = lifted.activations[layer.op.outputs[0]]
        given = _tf.tf_keras().Model(lifted.model.inputs, output)(batch, training=False)
        kernel.assign(kernel / max(float(np.std(given)), 1e-6))
    return lower(lifted)


def _trained(
    name: str,
    smaller: Candidate,
    left: Mapping[str, Mapping[str, float]],
    options: RemoveOptions,
    context: Context,
    problems: Sequence[Problem],
) -> Candidate:
    rate = None
    if options.from_scratch:  # there are no inner activations to hold on to, and a long way to go
        context, rate = context.tuned({"feature_weight": 0.0}), _FROM_SCRATCH
    now, before = (sum(int(each[key]) for each in left.values()) for key in ("channels", "of"))
    title = f"{now} of {before} channels are left"
    return wrapped.trained(
        name,
        options,
        smaller,
        context,
        told=left,
        learning_rate=rate,
        problems=problems,
        title=title,
    )


def _width(tflite: bytes, layer: str) -> float:
    """Channels that a layer makes."""
    graph = read(tflite)
    number = next(number for number, name in layer_names(graph).items() if name == layer)
    return float(graph.tensors[graph.ops[number].outputs[0]].shape[-1])


def _left(known: Dependencies, keep: Mask) -> dict[str, dict[str, float]]:
    """Layer name -> its channels now, and before."""
    return {
        layer: {"channels": float(keep[group.units].sum()), "of": float(len(group.units))}
        for group in groups(known)
        for layer in group.layers
    }
