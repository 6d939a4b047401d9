"""The compression chain: one pass after the other, each finished one kept for `--resume`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.checkpoints import Checkpoints
from edgekit.errors import EdgekitError
from edgekit.passes.base import Candidate, Context, from_mapping, load
from edgekit.plan import Step
from edgekit.problem import Problem

_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Stage:
    """The model after one pass.

    Attributes:
        name: Of the pass.
        candidate: What it returned.
    """

    name: str
    candidate: Candidate


def compress(
    steps: Sequence[Step], context: Context, checkpoints: Checkpoints
) -> tuple[Stage, ...]:
    """The model after each of the passes, in order.

    Args:
        steps: Of kind `compress`, with every option of their pass.
        context: Rows, teacher, seed, progress.
        checkpoints: Where finished passes are kept, and found again.

    Raises:
        EdgekitError: What a pass says, with its name; the passes before it are kept.
    """
    candidate, stages = Candidate(context.original), []
    for number, step in enumerate(steps, start=1):
        done = steps[:number]
        place = f"pass {number} of {len(steps)}, {step.name}"
        kept = checkpoints.load(done)
        if kept is not None:
            context.progress.step(f"{place}: was finished before")
        else:
            context.progress.step(place)
            kept = _run(step, candidate, context)
            checkpoints.save(done, kept)
        candidate = kept
        stages.append(Stage(step.name, candidate))
    return tuple(stages)


def _run(step: Step, candidate: Candidate, context: Context) -> Candidate:
    options, tuned = from_mapping(step.name, step.options, "compress")
    try:
        with context.spent.on(step.name):
            return load(step.name).run(candidate, options, context.tuned(tuned))
    except EdgekitError as error:
        if error.message.startswith(f"{step.name} "):
            raise
        raise type(error)(f"{step.name}: {error.message}", error.hint) from error


def frozen(keras: Any) -> tuple[Problem, ...]:
    """A warning that names layers which the source keeps from training: passes train them, too.

    Args:
        keras: The Keras 3 or tf_keras model that was imported, None where there is none.
    """
    layers = keras._flatten_layers() if keras is not None else ()
    names = [layer.name for layer in layers if layer.weights and not layer.trainable]
    if not names:
        return ()
    shown = ", ".join(names[:_SHOWN]) + (
        f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else ""
    )
    return (
        Problem(
            "warning",
            names[0],
            f"{shown}: trainable=False in the source, and compressed and fine-tuned all the same",
            "exclude leaves layers out of prune, cluster and rounding: exclude=NAME",
        ),
    )
