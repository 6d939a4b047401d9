"""How `distill` works: who learns, from whom, and which inner activations it follows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from edgekit.bridge.lift import Lifted, lift
from edgekit.errors import UsageError
from edgekit.graph.read import read
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._distill_options import DistillOptions
from edgekit.passes._teachers import Pair, follow, named, paired, together
from edgekit.passes._user_model import user_model
from edgekit.passes.base import Candidate, Context
from edgekit.training.options import STEPS
from edgekit.zoo._spec import is_spec
from edgekit.zoo._student import student

_FROM_NOTHING = 5e-2
"""Learning rate of a student, which has a longer way to go than a model that lost a little. A LeNet
of 3,276 parameters after 8 epochs of 4,500 digits: 97.6 % right, with 2e-2 96.7 %."""
_LONGER = 4
"""Times as many steps, for the same reason."""


def distilled(
    name: str, candidate: Candidate, options: DistillOptions, context: Context
) -> Candidate:
    """The candidate, or the student in its place, after training; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    rate = _FROM_NOTHING if options.student else None
    if options.student:
        candidate, context = _student(candidate, options, context), longer(context)
    if options.own_teacher:
        context = context.tuned({"feature_weight": options.feature_share})
    planned, lifted, teacher = wrapped.training(context, rate), lift(candidate.tflite), None
    learning = lifted
    if options.own_teacher:
        teachers = [lift(each, form="folded") for each in _teachers(options, context)]
        pairs = _pairs(lifted, teachers[0], options)
        kept = {pair.mine: pair.theirs for pair in pairs if pair.alike}
        if options.student and not options.teachers:
            candidate = dataclasses.replace(candidate, mates=kept)
        learning = follow(lifted, teachers[0], pairs, context.seed)
        temperature = context.fine_tune.temperature
        teacher = together(teachers, pairs, options.ensemble, temperature)
    title = f"training {options.student}" if options.student else "fine-tuning"
    trained = wrapped.train(candidate, context, learning, planned, teacher=teacher, title=title)
    layers = _sizes(lifted) if options.student else {}
    entry = wrapped.make_entry(name, options, planned, trained, layers)
    return wrapped.finish(candidate, lifted, entry=entry)


def _student(candidate: Candidate, options: DistillOptions, context: Context) -> Candidate:
    """A fresh candidate: nothing that was found of the original's layers holds for the student's.

    Raises:
        UsageError: A pass came before, whose work would be lost.
    """
    if candidate.log:
        raise UsageError(
            f"student = {options.student} begins with another network, and "
            f"{candidate.log[-1].name} is in front",
            "put distill first",
        )
    if is_spec(options.student):
        context.progress.step(f"making {options.student}")
        tflite = student(options.student, read(context.original), context.rows, context.seed)
        return Candidate(tflite, mates={}, problems=candidate.problems)
    found = user_model(options.student, "student", context)
    return Candidate(found.tflite, mates={}, problems=(*candidate.problems, *found.problems))


def longer(context: Context) -> Context:
    """More epochs than a model needs that is trained already, where none are asked for."""
    if context.fine_tune.epochs:
        return context
    batch = wrapped.training(context).options.batch
    steps = max(len(context.rows) // batch, 1)
    return context.tuned({"epochs": math.ceil(_LONGER * STEPS / steps)})


def _teachers(options: DistillOptions, context: Context) -> list[bytes]:
    if not options.teachers:
        return [context.original]
    return [user_model(each, "teachers", context).tflite for each in options.teachers]


def _pairs(student: Lifted, teacher: Lifted, options: DistillOptions) -> Sequence[Pair]:
    """The layers that are named, or else of a student those of the same name and shape."""
    if options.features:
        return paired(student, teacher, options.features)
    return named(student, teacher) if options.student and not options.teachers else ()


def _sizes(lifted: Lifted) -> Mapping[str, Mapping[str, float]]:
    """Layer name -> its parameters."""
    sizes: dict[str, dict[str, float]] = {}
    for layer in lifted.layers:
        bias: Any = layer.bias_array()
        count = layer.kernel_array().size + (0 if bias is None else bias.size)
        sizes[layer.name] = {"parameters": float(count)}
    return sizes
