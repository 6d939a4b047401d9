"""Gradual pruning: some zeros and some training, before the rest of the zeros and of the training.

Which weights can go is told by how the model answers to small changes, so that two smaller steps,
with the losses of the first one won back before the second, lose less than one large one (Zhu and
Gupta 2017, arXiv:1710.01878; with solved zeros: Kurtic et al. 2022, arXiv:2203.07259).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from edgekit.bridge.lift import lift
from edgekit.bridge.lower import lower
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._allocate import Costs
from edgekit.passes._keep import after_each_step
from edgekit.passes._solve import Names, solve
from edgekit.passes.base import Candidate, Context

_FIRST = 0.3
"""Share of the training that is done with the first zeros. ResNet8 with 70 % zeros, 20 epochs
without labels: guard loss 0.44, and 0.52 with all zeros at once."""

_FEWEST = 4  # epochs from which on there is something to part


def gradual(
    candidate: Candidate,
    groups: Mapping[Names, float],
    planned: wrapped.Training,
    context: Context,
    costs: Costs | None = None,
) -> tuple[Candidate, wrapped.Training, dict[str, Any]]:
    """The candidate with all of its zeros, what is left of the training, and how the rest went.

    Args:
        candidate: Before the pass.
        groups: As `solve` takes them.
        planned: The whole training.
        context: Of the pass.
        costs: As `solve` takes them.

    Returns:
        In the end `Trained.to_json()`, empty where nothing has been trained so far.
    """
    trained: dict[str, Any] = {}
    if planned.options.epochs >= _FEWEST:
        first, planned = _parted(planned)
        candidate, trained = _begun(candidate, groups, first, context, costs)
    solved = solve(candidate.tflite, groups, context, costs)
    return dataclasses.replace(candidate, tflite=solved), planned, trained


def _begun(
    candidate: Candidate,
    groups: Mapping[Names, float],
    planned: wrapped.Training,
    context: Context,
    costs: Costs | None,
) -> tuple[Candidate, dict[str, Any]]:
    """With zeros that leave as large a share as the others will of what then is left; trained."""
    shares = {names: 1 - (1 - share) ** 0.5 for names, share in groups.items()}
    lifted = lift(solve(candidate.tflite, shares, context, costs))
    chosen = {name for names in groups for name in names}
    kernels = [layer.layer.kernel for layer in lifted.layers if layer.name in chosen]
    trained = wrapped.train(
        candidate,
        context,
        lifted,
        planned,
        callbacks=[after_each_step(kernels, [])],
        title=f"training with the first zeros of {len(kernels)} layers",
    )
    return dataclasses.replace(candidate, tflite=lower(lifted)), trained


def joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """`Trained.to_json()` of two trainings as that of one; the guard loss begins with the first."""
    return {
        **second,
        "epochs": first["epochs"] + second["epochs"],
        "best_epoch": first["epochs"] + second["best_epoch"],
        "loss": [*first["loss"], *second["loss"]],
        "guard_loss": [*first["guard_loss"], *second["guard_loss"][1:]],
    }


def _parted(planned: wrapped.Training) -> tuple[wrapped.Training, wrapped.Training]:
    epochs = round(_FIRST * planned.options.epochs)
    first = part(planned, epochs, _FIRST)
    return first, part(planned, planned.options.epochs - epochs, 1 - _FIRST)


def part(planned: wrapped.Training, epochs: int, share: float) -> wrapped.Training:
    """So many epochs of a training, and that share of its minutes."""
    minutes = share * planned.options.max_minutes
    options = dataclasses.replace(planned.options, epochs=epochs, max_minutes=minutes)
    return wrapped.Training(options, epochs * (planned.steps // planned.options.epochs))
