"""How `prune` works: zeros before the training, or masks that grow during it; in rounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgekit import _tf
from edgekit.bridge.lift import lift
from edgekit.passes import _fused, _mask_pruner, _zeros
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._gradual import gradual, joined
from edgekit.passes._keep import after_each_step
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes._prune_plan import Plan, plan, together
from edgekit.passes._prune_rounds import rounds
from edgekit.passes._prune_steps import Steps
from edgekit.passes._solve import fits, solve
from edgekit.passes._tfmot_pruner import Wrappers
from edgekit.passes.base import Candidate, Context
from edgekit.problem import Problem

LEARNING_RATE = 1.5e-3
"""Where zeros are solved for. ResNet8 without labels, 10 epochs, guard loss with 70 % zeros: 0.45,
with 3e-3 0.49; with 50 %, 20 epochs: 0.114 and 0.121."""
_ROUNDING = 0.01  # share of weights that the training may leave over because of equal ones


def pruned(name: str, candidate: Candidate, options: PruneOptions, context: Context) -> Candidate:
    """The candidate with zeros, and the promise of as many as were reached; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    whole = plan(candidate, options, context)

    def prune(before: Candidate, part: Plan, training: wrapped.Training) -> Candidate:
        return _once(name, before, part, training, options, context)

    solved = any(own.solves for own in whole.layers.values())
    planned = wrapped.training(context, LEARNING_RATE if solved else None)
    after = rounds(prune, candidate, whole, planned, options, context)
    return dataclasses.replace(after, problems=(*after.problems, *whole.problems))


@dataclass(frozen=True, eq=False)
class _Begun:
    """What is done before the training that trains the last zeros.

    Attributes:
        candidate: With the zeros that are solved for, and those of fused layers.
        solved: Names of the layers whose zeros are there.
        planned: What is left of the training.
        trained: How the rest of it went; empty where nothing is trained so far.
    """

    candidate: Candidate
    solved: frozenset[str]
    planned: wrapped.Training
    trained: Mapping[str, Any]


def _begun(
    candidate: Candidate,
    whole: Plan,
    planned: wrapped.Training,
    options: PruneOptions,
    context: Context,
) -> _Begun:
    candidate = _fused.zeroed(candidate, whole.fused)
    found = lift(candidate.tflite).layers
    solving = {e.name: whole.layers[e.name] for e in found if e.name in whole.layers and fits(e)}
    solving = {name: own for name, own in solving.items() if own.solves}
    solved = frozenset(solving)
    if not solving:
        return _Begun(candidate, solved, planned, {})
    groups = together(found, solving, options, whole.costs)
    if options.rounds or options.max_drop:  # they part the training themselves
        tflite = solve(candidate.tflite, groups, context, whole.costs)
        return _Begun(dataclasses.replace(candidate, tflite=tflite), solved, planned, {})
    candidate, rest, trained = gradual(candidate, groups, planned, context, whole.costs)
    return _Begun(candidate, solved, rest, trained)


def _once(
    name: str,
    candidate: Candidate,
    whole: Plan,
    planned: wrapped.Training,
    options: PruneOptions,
    context: Context,
) -> Candidate:
    """Prune, and train."""
    begun = _begun(candidate, whole, planned, options, context)
    candidate, rest = begun.candidate, begun.planned
    masked = {name: own for name, own in whole.layers.items() if name not in begun.solved}
    steps = {name: Steps.of(own, rest.steps) for name, own in masked.items()}
    wrappers = Wrappers(masked, steps)
    lifted = lift(candidate.tflite, wrap=wrappers.wrap)
    wrappers.align_blocks()
    zeroed = [layer for layer in lifted.layers if layer.name in begun.solved]
    ours = [e for e in lifted.layers if e.name in masked and e.name not in wrappers.names]
    plans = whole.layers | {
        e.name: dataclasses.replace(whole.layers[e.name], sparsity=_zeros.zeros(e)) for e in zeroed
    }
    trained = wrapped.train(
        candidate,
        context,
        lifted,
        rest,
        callbacks=[
            _tf.tfmot().sparsity.keras.UpdatePruningStep(),
            after_each_step([layer.layer.kernel for layer in zeroed], []),
            *([_mask_pruner.callback(ours, masked, steps)] if ours else []),
        ],
        keep_from=max((each.end for each in steps.values()), default=0) / rest.steps,
        title=_title([*(own.target for own in plans.values()), *whole.fused.values()]),
    )
    trained = joined(begun.trained, trained) if begun.trained else trained
    layers = [layer for layer in lifted.layers if layer.name in plans and plans[layer.name].target]
    cut = max((_zeros.cut(layer, plans[layer.name]) for layer in layers), default=0.0)
    achieved = {layer.name: {"sparsity": _zeros.zeros(layer)} for layer in layers}
    achieved |= _fused.zeros(candidate.tflite, whole.fused)
    return wrapped.finish(
        candidate,
        lifted,
        entry=wrapped.make_entry(name, options, planned, trained, achieved),
        promises=[p for layer in layers for p in _zeros.promises(layer, plans[layer.name])],
        problems=_cut_short(cut, trained),
    )


def _title(targets: Sequence[float]) -> str:
    shares = sorted(set(targets))
    share = f"{shares[0]:.0%}" if len(shares) == 1 else f"{shares[0]:.0%} to {shares[-1]:.0%}"
    return f"pruning {len(targets)} layer{'s' * (len(targets) > 1)} to {share} zeros"


def _cut_short(cut: float, trained: Mapping[str, Any]) -> list[Problem]:
    if cut <= _ROUNDING:
        return []
    return [
        Problem(
            "warning",
            "prune",
            f"training ended after {trained['epochs']} epochs ({trained['stopped']}) with zeros "
            f"still to come: up to {cut:.0%} of a layer's weights were zeroed at once",
            "give more max_minutes or an earlier end",
        )
    ]
