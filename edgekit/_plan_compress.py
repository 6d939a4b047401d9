"""The passes of a plan, and what stands against them and the budget: pure, no data is touched."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgekit.errors import UsageError
from edgekit.problem import Problem
from edgekit.project import CompressEntry, Project
from edgekit.training.options import FineTune

QAT = "qat"
"""Trait of a model that learned ranges: whatever trains it afterwards would undo that."""


def resolved(entry: CompressEntry, fine_tune: FineTune) -> dict[str, Any]:
    """Every option of a pass with its value, and `fine_tune`: its own keys on the project's.

    `passes.base.from_mapping` takes it back. Zeros of `fine_tune` are decided from the data.
    """
    from edgekit.passes.base import from_mapping

    options, tuned = from_mapping(entry.name, entry.options, "compress")
    return {**options.to_json(), "fine_tune": asdict(fine_tune) | tuned}


def pass_files(project: Project) -> tuple[str, ...]:
    """Models of the user that passes of `project` are told of."""
    from edgekit.passes.base import from_mapping

    found = [from_mapping(e.name, e.options, "compress")[0].files for e in project.compress]
    return tuple(name for names in found for name in names)


def with_relative_files(project: Project, root: Path) -> Project:
    """`project` whose passes name models by paths relative to `root`, as the manifest has them."""
    from edgekit.passes.base import from_mapping

    def moved(entry: CompressEntry) -> CompressEntry:
        options, _ = from_mapping(entry.name, entry.options, "compress")
        fields = [f.name for f in dataclasses.fields(options) if f.metadata.get("file")]
        given = {key: entry.options[key] for key in fields if entry.options.get(key)}
        paths = {key: _relative(value, root) for key, value in given.items()}
        return CompressEntry(entry.name, {**entry.options, **paths})

    return dataclasses.replace(project, compress=tuple(map(moved, project.compress)))


def _relative(value: Any, root: Path) -> Any:
    if isinstance(value, str):
        return os.path.relpath(root / value, root)
    return [os.path.relpath(root / path, root) for path in value]


def compress_problems(project: Project, scheme: str, compared: bool) -> list[Problem]:
    """What stands against the passes of `project` in a build of `scheme`.

    Args:
        project: With its passes and data.
        scheme: Name of the quantizer.
        compared: Whether the model is a float one, as `budget_problems` takes it.
    """
    if not project.compress:
        return []
    names = [entry.name for entry in project.compress]
    problems = [*_order_problems(names), *_start_problems(project)]
    if compared:
        problems += _scheme_problems(names, scheme)
    else:
        message = "the model is quantized already, and cannot be compressed"
        hint = "give the float model, or leave the passes out"
        problems.append(_error("--compress", message, hint))
    if not (project.data.training or project.data.calibration):
        problems.append(
            _error(
                "--training",
                "compression needs data to learn from, and none is given",
                "give --training data.npz:x,y, or --calibration data.npz:x without labels",
            )
        )
    return problems


def budget_problems(project: Project, compared: bool) -> Iterator[Problem]:
    """What stands against the budget of `project`.

    Args:
        project: With its budget and data.
        compared: Whether there is a float model to compare with.
    """
    budget, data = project.budget, project.data
    if not budget.limits:
        if budget.strict:
            message = "strict has no effect: no budget is set"
            yield Problem("warning", "--strict", message, "set one, e.g. --max-drop 1")
        return
    if not compared:
        message = "a budget is set, and the model is quantized already: nothing to compare it with"
        yield _error("budget", message, "leave the budget out, or give the float model")
    elif not project.fidelity.enabled:
        message = "a budget is set, and the comparison with the float model is switched off"
        yield _error("budget", message, "leave --no-fidelity out, or the budget")
    elif budget.accuracy_drop is not None and not (data.evaluation or data.training):
        message = "a budget for the accuracy drop needs labelled data, and none is given"
        hint = "give --evaluation data.npz:x,y, or set a budget that needs no labels: "
        yield _error("--max-drop", message, f"{hint}--min-agreement 99")
    elif not (data.evaluation or data.training or data.calibration):
        message = "a budget needs data to compare on, and none is given"
        yield _error("budget", message, "give --evaluation data.npz:x")


def _order_problems(names: Sequence[str]) -> list[Problem]:
    from edgekit.passes.base import load, refuse_order

    learning = [name for name in names if QAT in load(name).leaves]
    if len(learning) > 1:
        message = f"{' and '.join(dict.fromkeys(learning))} learns ranges {len(learning)} times"
        return [_error("--compress", message, f"give it once: {_last(names, learning[:1])}")]
    if learning and names[-1] != learning[0]:
        after = names[names.index(learning[0]) + 1]
        message = f"{after} after {learning[0]} would undo what that learned"
        return [_error("--compress", message, f"put it last: {_last(names, learning)}")]
    try:
        refuse_order(names)
    except UsageError as error:
        return [_error("--compress", error.message, error.hint)]
    return []


def _start_problems(project: Project) -> list[Problem]:
    """A pass that begins with another network, behind passes whose work would be lost."""
    from edgekit.passes.base import from_mapping

    for before, entry in zip(project.compress, project.compress[1:], strict=False):
        if from_mapping(entry.name, entry.options, "compress")[0].starts:
            message = f"{entry.name} begins with another network, and {before.name} is in front"
            return [_error("--compress", message, f"put {entry.name} first")]
    return []


def _last(names: Sequence[str], learning: Sequence[str]) -> str:
    """The short form of the order that works."""
    others = [name for name in names if name not in learning]
    return f"--compress {','.join([*others, *learning])}"


def _scheme_problems(names: Sequence[str], scheme: str) -> list[Problem]:
    from edgekit.passes.base import load

    learning = next((name for name in names if QAT in load(name).leaves), "")
    if not learning or scheme in ("int8", "int4"):
        return []
    message = f"{learning} trains for int8, and the build is {scheme}"
    return [_error("--compress", message, f"use --quantize int8, or leave {learning} out")]


def _error(where: str, message: str, hint: str) -> Problem:
    return Problem("error", where, message, hint)
