"""Iterative pruning: zeros, training, more zeros, until all are there or too much is lost.

Each round leaves the same share of what the one before it left, so that all take as much of what
there is. Source: Han et al. 2015, arXiv:1506.02626; Renda et al. 2020, arXiv:2003.02389.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from edgekit.errors import BudgetError, UsageError
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._gradual import joined, part
from edgekit.passes._loss import lost
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes._prune_plan import Plan
from edgekit.passes.base import Candidate, Context
from edgekit.problem import Problem

_ROUNDS = 5
"""Where none are given and `max_drop` needs some to choose from."""
Prune = Callable[[Candidate, Plan, wrapped.Training], Candidate]
"""Prunes and trains once."""


def rounds(
    prune: Prune,
    candidate: Candidate,
    whole: Plan,
    planned: wrapped.Training,
    options: PruneOptions,
    context: Context,
) -> Candidate:
    """The candidate after the last round that may be taken.

    Args:
        prune: Does one round.
        candidate: Before the pass.
        whole: What is to be reached in the last round.
        planned: All of the training; each round has its part.
        options: Of the pass.
        context: Guard rows, for `max_drop`.

    Raises:
        BudgetError: The first round loses more than may be lost.
        UsageError: More rounds than epochs.
    """
    count = options.rounds or (_ROUNDS if options.max_drop else 1)
    if count == 1 and not options.max_drop:
        return prune(candidate, whole, planned)
    _refuse_short(count, planned)
    now, taken = candidate, candidate
    for number in range(1, count + 1):
        context.progress.step(f"round {number} of {count}")
        now = prune(now, _part(whole, number / count), _epochs(planned, number, count))
        if options.max_drop:
            drop = lost(context.original, now.tflite, context.guard)
            context.progress.note(f"{drop:.2f} points lost on the guard rows")
            if drop > options.max_drop:
                _refuse_none(number, drop, options, now)
                return _ended(candidate, taken, planned, _stopped(number, count, drop, options))
        taken = now
    return _ended(candidate, taken, planned, [])


def _part(whole: Plan, progress: float) -> Plan:
    """The plan of a round on the way, 0 to 1."""
    layers = {}
    for name, own in whole.layers.items():
        share = 1 - (1 - own.target) ** progress
        if not own.n_m:
            own = dataclasses.replace(own, sparsity=share, initial=min(own.initial, share))
        layers[name] = own
    fused = {name: 1 - (1 - share) ** progress for name, share in whole.fused.items()}
    return dataclasses.replace(whole, layers=layers, fused=fused)


def _epochs(planned: wrapped.Training, number: int, count: int) -> wrapped.Training:
    """The part of a round: as equal as whole epochs can be."""
    epochs = planned.options.epochs
    ends = [round(epochs * each / count) for each in (number - 1, number)]
    mine = ends[1] - ends[0]
    found = part(planned, mine, mine / epochs)
    patience = min(found.options.patience, mine)
    return dataclasses.replace(
        found, options=dataclasses.replace(found.options, patience=max(patience, 1))
    )


def _refuse_short(count: int, planned: wrapped.Training) -> None:
    if count > planned.options.epochs:
        raise UsageError(
            f"rounds = {count} are more than the {planned.options.epochs} epochs of the training",
            f"give at most {planned.options.epochs} rounds, or more epochs",
        )


def _refuse_none(number: int, drop: float, options: PruneOptions, now: Candidate) -> None:
    if number > 1:
        return
    most = max(layer["sparsity"] for layer in now.log[-1].layers.values())
    raise BudgetError(
        f"max_drop = {options.max_drop:g} points are exceeded in the first round: up to {most:.0%} "
        f"of a layer's weights are zero, and {drop:.1f} points are lost on the guard rows",
        "give more rounds or epochs, or a larger max_drop",
    )


def _stopped(number: int, count: int, drop: float, options: PruneOptions) -> list[Problem]:
    return [
        Problem(
            "note",
            "prune",
            f"prune stopped after round {number - 1} of {count}: the next one loses {drop:.1f} "
            f"points on the guard rows, and max_drop is {options.max_drop:g}",
            "nothing needs doing; more epochs may carry it further",
        )
    ]


def _ended(
    before: Candidate, after: Candidate, planned: wrapped.Training, problems: list[Problem]
) -> Candidate:
    """The candidate with one entry in the log for all rounds, and each problem once."""
    made = after.log[len(before.log) :]
    trained = dict(made[0].trained)
    for each in made[1:]:
        trained = joined(trained, each.trained)
    told = {**made[-1].options, "fine_tune": dataclasses.asdict(planned.options)}
    entry = dataclasses.replace(made[-1], trained=trained, options=told)
    fresh = dict.fromkeys((*after.problems[len(before.problems) :], *problems))
    return dataclasses.replace(after, log=(*before.log, entry), problems=(*before.problems, *fresh))
