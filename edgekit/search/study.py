"""A study: trials are asked for, run by an executor, and what came of them is kept."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, Trial, TrialState

from edgekit.errors import UsageError
from edgekit.progress import Progress
from edgekit.search import netadapt
from edgekit.search.executor import Executor, Outcome, Recipe
from edgekit.search.infer import hopeless
from edgekit.search.objective import Limit, Objective
from edgekit.search.samplers import Given, make_sampler
from edgekit.search.space import Choices, Space
from edgekit.search.storage import open_study

_OUTCOME = "outcome"
_UNKNOWN = 1.0
"""Violation of a trial that cannot be built: as bad as twice a limit."""
_RETRIES = 12
"""Draws of a point that was tried already, before one that was not is taken at random."""
_DRAWS, _LISTED = 100, 20_000
"""Points that are drawn, then listed, to find one whose outcome is not known."""
_STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


@dataclass(frozen=True)
class Setup:
    """What a study is about.

    Attributes:
        space: What is chosen.
        objectives: What is made best, in order.
        limits: That must be kept.
        sampler: What chooses.
        seed: Of every choice.
        start: Choices of the first trials.
        own: Whether a function of the user's chooses besides.
        infers: Whether trials are left out whose outcome others tell (`infer.py`).
        key: What else all trials have in common, JSON-able.
    """

    space: Space
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...] = ()
    sampler: str = "tpe"
    seed: int = 0
    start: tuple[Choices, ...] = ()
    own: bool = False
    infers: bool = True
    key: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What a resumed study must have in common with its beginning."""
        return {
            "space": self.space.to_json(),
            "objectives": [each.name for each in self.objectives],
            "limits": {each.name: each.value for each in self.limits},
            "sampler": self.sampler,
            "seed": self.seed,
            "infers": self.infers,
            **self.key,
        }


@dataclass(frozen=True)
class Tried:
    """A finished trial: what was chosen, and what came of it."""

    choices: Mapping[str, Any]
    outcome: Outcome

    @property
    def number(self) -> int:
        """Of the trial."""
        return self.outcome.number


class Study:
    """The trials of a search.

    Args:
        setup: What it is about.
        path: Of its file; None: in memory.
        resume: Whether the file may be there.

    Raises:
        UsageError: As `open_study`.
    """

    def __init__(self, setup: Setup, path: Path | None = None, resume: bool = False) -> None:
        self.setup = setup
        directions = [
            "minimize" if each.better == "lower" else "maximize" for each in setup.objectives
        ]
        if not directions:
            raise UsageError("a search has no objective", "--objective latency")
        key = json.loads(json.dumps(setup.to_json()))
        self._study = open_study(path, directions, key, resume)
        self.tried: list[Tried] = []
        self._known: set[str] = set()
        self._begun: list[FrozenTrial] = []
        for each in self._study.get_trials(deepcopy=False):
            self._take(each)

    def run(
        self,
        executor: Executor,
        project_of: Callable[[Choices, int], Mapping[str, Any]],
        trials: int,
        timeout: float | None = None,
        progress: Progress | None = None,
        told: Callable[[Tried], None] | None = None,
    ) -> list[Tried]:
        """Try until there are `trials` different ones, counting those of before.

        Args:
            executor: Runs them.
            project_of: What a choice is to build, and the trial's number -> its project as JSON.
            trials: Different points that are tried in all.
            timeout: Seconds after which none begins.
            progress: Told each trial.
            told: Told each outcome, once it is kept.

        Returns:
            All that were tried.
        """
        ends = None if timeout is None else time.monotonic() + timeout
        progress = progress or Progress()
        asked: dict[int, tuple[Trial, Choices]] = {}

        def recipes() -> Iterator[Recipe]:
            for trial, choices in self._asked(trials, ends):
                asked[trial.number] = trial, choices
                progress.step(f"trial {trial.number}, {len(self.tried)} of {trials} done")
                progress.note(_brief(choices))
                own = trial if self.setup.own else None
                yield Recipe(trial.number, project_of(choices, trial.number), choices, own)

        for outcome in executor.run(recipes()):
            trial, choices = asked.pop(outcome.number)
            tried = Tried(choices, outcome)
            self._tell(trial, tried)
            if told is not None:
                told(tried)
        return self.tried

    @property
    def feasible(self) -> list[Tried]:
        """Trials that went through all stages within all limits."""
        return [each for each in self.tried if each.outcome.state == "complete"]

    @property
    def front(self) -> list[Tried]:
        """The feasible ones that no other is better than, by number."""
        points = [(each, self._costs(each)) for each in self.feasible]
        return [one for one, costs in points if not any(_beats(c, costs) for _, c in points)]

    def _asked(self, trials: int, ends: float | None) -> Iterator[tuple[Trial, Choices]]:
        begun = len(self.tried) + len(self._begun)
        for each in self._begun:  # of before a kill: the same numbers, the same choices
            self._study.sampler = self._sampler(each.number) or RandomSampler()
            again = Trial(self._study, each._trial_id)
            choices = self.setup.space.suggest(again)
            self._known.add(_digest(choices))
            yield again, choices
        self._begun = []
        while begun < trials and (ends is None or time.monotonic() < ends):
            trial = self._ask()
            if trial is None:
                return
            choices = self.setup.space.suggest(trial)
            if self._settled(choices):
                self._study.tell(trial, state=TrialState.FAIL)
                continue
            self._known.add(_digest(choices))
            begun += 1
            yield trial, choices

    def _ask(self) -> Trial | None:
        """The next trial; None where there is none whose outcome is not known."""
        sampler = self._sampler(len(self._study.get_trials(deepcopy=False)))
        if sampler is None:
            return None
        self._study.sampler = sampler
        return self._study.ask()

    def _sampler(self, number: int) -> BaseSampler | None:
        """What chooses the trial `number`: after too many repeats a point at random."""
        setup, repeats = self.setup, self._repeats(number)
        point: Choices | None
        if number < len(setup.start):
            point = setup.start[number]
        elif setup.sampler == "netadapt" and not repeats:
            point = netadapt.propose(setup.space, self.tried, setup.objectives, setup.limits)
            point = point or self._untried(number)
        elif setup.sampler == "netadapt" or repeats > _RETRIES:
            point = self._untried(number)
        else:
            return self._optuna(number, repeats)
        return Given(setup.space.stored(point), setup.seed) if point else None

    def _optuna(self, number: int, repeats: int = 0) -> BaseSampler:
        setup = self.setup
        return make_sampler(setup.sampler, setup.seed, number, self._constraints, repeats)

    def _repeats(self, number: int) -> int:
        """How many trials in front of it came up with what was settled."""
        before = self._study.get_trials(deepcopy=False)[:number]
        told = (
            _OUTCOME in each.user_attrs or not each.state.is_finished() for each in before[::-1]
        )
        return next((count for count, found in enumerate(told) if found), len(before))

    def _settled(self, choices: Choices) -> bool:
        """Whether it is known, or inferred, what would come of it."""
        setup = self.setup
        if setup.own:
            return False
        if _digest(choices) in self._known:
            return True
        return setup.infers and hopeless(
            setup.space, choices, self.tried, setup.objectives, setup.limits
        )

    def _untried(self, number: int) -> Choices | None:
        """A point at random whose outcome is not known; None where there is none."""
        draw = random.Random(f"{self.setup.seed} {number}")
        dimensions = self.setup.space.dimensions
        for _ in range(_DRAWS):
            point = {each.name: draw.choice(each.values) for each in dimensions}
            if not self._settled(point):
                return point
        lists = itertools.product(*(each.values for each in dimensions))
        names = [each.name for each in dimensions]
        points = (dict(zip(names, values, strict=True)) for values in lists)
        return next((p for p in itertools.islice(points, _LISTED) if not self._settled(p)), None)

    def _tell(self, trial: Trial, tried: Tried) -> None:
        outcome = tried.outcome
        self.tried.append(tried)
        trial.set_user_attr(_OUTCOME, {"choices": dict(tried.choices), **asdict(outcome)})
        self._study.sampler = self._optuna(outcome.number)  # it keeps what was broken
        state = _STATES[outcome.state]
        values = None
        if state == TrialState.COMPLETE:
            values = [outcome.figures[each.name] for each in self.setup.objectives]
        self._study.tell(trial, values, state=state)

    def _take(self, trial: FrozenTrial) -> None:
        """What an earlier run left of a trial."""
        kept = trial.user_attrs.get(_OUTCOME)
        if not trial.state.is_finished():
            self._begun.append(trial)
        elif kept is not None:
            fields = {key: value for key, value in kept.items() if key != "choices"}
            self.tried.append(Tried(kept["choices"], Outcome(**fields)))
            self._known.add(_digest(kept["choices"]))

    def _constraints(self, trial: FrozenTrial) -> tuple[float, ...]:
        kept = trial.user_attrs.get(_OUTCOME, {})
        if kept.get("state") == "complete":
            return tuple(0.0 for _ in range(len(self.setup.limits) + 1))
        broken = [each.violation(kept.get("figures", {})) for each in self.setup.limits]
        refused = 0.0 if any(value > 0 for value in broken) else _UNKNOWN
        return (refused, *broken)

    def _costs(self, tried: Tried) -> tuple[float, ...]:
        figures = tried.outcome.figures
        return tuple(
            figures[each.name] * (1 if each.better == "lower" else -1)
            for each in self.setup.objectives
        )


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _digest(choices: Choices) -> str:
    return json.dumps(dict(choices), sort_keys=True)


def _brief(choices: Choices) -> str:
    return ", ".join(f"{name}={value}" for name, value in choices.items() if value != "off")
