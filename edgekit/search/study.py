"""A study: trials are asked for, run by an executor, and what came of them is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, Trial, TrialState

from edgekit.errors import UsageError
from edgekit.progress import Progress
from edgekit.search.chooser import OUTCOME, Chooser, digest
from edgekit.search.executor import Executor, Outcome, Recipe
from edgekit.search.setup import Setup as Setup
from edgekit.search.setup import Tried as Tried
from edgekit.search.space import Choices
from edgekit.search.stopwatch import Stopwatch
from edgekit.search.storage import open_study

_STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


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
        self._chooser = Chooser(setup, self._study, self.tried)
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
        watch = Stopwatch()

        def recipes() -> Iterator[Recipe]:
            for trial, choices in self._asked(trials, ends):
                asked[trial.number] = trial, choices
                progress.step(f"trial {trial.number}, {len(self.tried)} of {trials} done")
                progress.note(_brief(choices))
                own = trial if self.setup.own else None
                yield Recipe(trial.number, project_of(choices, trial.number), choices, own)

        for outcome in executor.run(watch.timed(recipes())):
            trial, choices = asked.pop(outcome.number)
            tried = Tried(choices, outcome, round(watch.taken(), 3))
            with watch:
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
            self._study.sampler = self._chooser.sampler(each.number)
            again = Trial(self._study, each._trial_id)
            choices = self.setup.space.suggest(again)
            self._chooser.known.add(digest(choices))
            yield again, choices
        self._begun = []
        while begun < trials and (ends is None or time.monotonic() < ends):
            number = len(self._study.get_trials(deepcopy=False))
            self._study.sampler = self._chooser.sampler(number)
            trial = self._study.ask()
            choices = self.setup.space.suggest(trial)
            if self._chooser.settled(choices):  # so is all that is left
                self._study.tell(trial, state=TrialState.FAIL)
                return
            self._chooser.known.add(digest(choices))
            begun += 1
            yield trial, choices

    def _tell(self, trial: Trial, tried: Tried) -> None:
        outcome = tried.outcome
        self.tried.append(tried)
        kept = {"choices": dict(tried.choices), "engine": tried.engine, **asdict(outcome)}
        trial.set_user_attr(OUTCOME, kept)
        self._study.sampler = self._chooser.teller(outcome.number)  # it keeps what was broken
        state = _STATES[outcome.state]
        values = None
        if state == TrialState.COMPLETE:
            values = [outcome.figures[each.name] for each in self.setup.objectives]
        self._study.tell(trial, values, state=state)

    def _take(self, trial: FrozenTrial) -> None:
        """What an earlier run left of a trial."""
        kept = trial.user_attrs.get(OUTCOME)
        if not trial.state.is_finished():
            self._begun.append(trial)
        elif kept is not None:
            fields = dict(kept)
            choices, engine = fields.pop("choices"), fields.pop("engine", 0.0)
            self.tried.append(Tried(choices, Outcome(**fields), engine))
            self._chooser.known.add(digest(choices))

    def _costs(self, tried: Tried) -> tuple[float, ...]:
        figures = tried.outcome.figures
        return tuple(
            figures[each.name] * (1 if each.better == "lower" else -1)
            for each in self.setup.objectives
        )


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _brief(choices: Choices) -> str:
    return ", ".join(f"{name}={value}" for name, value in choices.items() if value != "off")
