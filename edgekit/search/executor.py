"""The contract of an executor: trials in as they are asked for, their outcomes out as they end.

Whoever runs trials elsewhere implements `Executor` and is handed what runs one of them: a callable
that can be pickled. Recipes are to be drawn one at a time, when there is room for one more: each is
asked for only then, with all outcomes known that were yielded before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from optuna.trial import Trial

State = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True)
class Recipe:
    """What one trial is to build.

    Attributes:
        number: Of the trial in its study, from 0.
        project: As `Project.to_json` gives it; `edgekit.project.from_mapping` takes it back.
        choices: What was chosen in the space, by name.
        trial: For a function of the user's that chooses for itself, else None; it can be pickled
            where the study's file can be reached by both sides.
    """

    number: int
    project: Mapping[str, Any]
    choices: Mapping[str, Any] = field(default_factory=dict)
    trial: Trial | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        number: Of the trial.
        state: `complete`: it was measured; `pruned`: a stage ruled it out; `failed`: it cannot be
            built, or whoever ran it is lost.
        figures: By the name of an objective; of a pruned trial those known by then.
        how: How each figure was got: `measured`, `emulated` or `estimated`.
        stage: That it ended in, "" where it went through all.
        reason: Why it was ruled out or failed, one line.
        seconds: That it took.
        folder: Of the build, relative to the project's root; "" where there is none.
    """

    number: int
    state: State
    figures: Mapping[str, float] = field(default_factory=dict)
    how: Mapping[str, str] = field(default_factory=dict)
    stage: str = ""
    reason: str = ""
    seconds: float = 0.0
    folder: str = ""


Evaluate = Callable[[Recipe], Outcome]
"""Runs one trial; it raises nothing for a model or data that cannot be used."""


class Executor(Protocol):
    """Runs trials, one or many at a time."""

    def run(self, trials: Iterable[Recipe]) -> Iterator[Outcome]:
        """The outcome of each recipe, in the order in which they end; none is left out."""


@dataclass(frozen=True)
class Sequential:
    """One trial after another, in this process.

    Attributes:
        evaluate: Runs one.
    """

    evaluate: Evaluate

    def run(self, trials: Iterable[Recipe]) -> Iterator[Outcome]:
        """The outcome of each recipe before the next is drawn."""
        for recipe in trials:
            yield self.evaluate(recipe)
