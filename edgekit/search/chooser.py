"""What the next trial is: Optuna's choice, unless that is settled, then one that is not."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from edgekit.search import netadapt
from edgekit.search.drawing import Given, Unsettled
from edgekit.search.infer import hopeless
from edgekit.search.samplers import GOOD, make_sampler, seed_of
from edgekit.search.setup import Setup, Tried
from edgekit.search.space import Choices

if TYPE_CHECKING:
    import optuna

OUTCOME = "outcome"
"""Attribute of a finished trial; one that found nothing left to try has none."""
_UNKNOWN = 1.0
"""Violation of a trial that cannot be built: as bad as twice a limit."""
_DRAWS, _LISTED = 100, 20_000
"""Points that are drawn, then listed, to find one whose outcome is not known."""


class Chooser:
    """Chooses for one study.

    Args:
        setup: What the study is about.
        study: Optuna's.
        tried: Its finished trials; the study adds to it.

    Attributes:
        known: Digests of all points that were begun.
    """

    def __init__(self, setup: Setup, study: optuna.Study, tried: Sequence[Tried]) -> None:
        self.setup, self.tried = setup, tried
        self._study = study
        self.known: set[str] = set()

    def sampler(self, number: int) -> BaseSampler:
        """What chooses the trial `number`."""
        setup = self.setup
        starts = setup.start[number:]
        point = next((each for each in starts if not self.settled(each)), None)
        if point is None and setup.sampler == "netadapt":
            point = netadapt.propose(setup.space, self.tried, setup.objectives, setup.limits)
            if point is None or self.settled(point):
                point = self._untried(number) or setup.space.mildest
        if point is not None:
            return Given(setup.space.stored(point), seed_of(setup.seed, number))
        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        beside = any(each.number != number for each in running)
        if setup.own:
            return self._optuna(number, beside=beside)
        return Unsettled(
            setup.space,
            lambda repeats: self._optuna(number, repeats, beside),
            self.settled,
            lambda: self._untried(number),
        )

    def teller(self, number: int) -> BaseSampler:
        """What keeps, with a trial that is told, what it broke."""
        return self._optuna(number)

    def _optuna(self, number: int, repeats: int = 0, beside: bool = False) -> BaseSampler:
        setup = self.setup
        kept = sum(each.outcome.state == "complete" for each in self.tried)
        # with others among the good ones on a front Optuna 4.9 fails: these have no values to weigh
        good = min(kept, GOOD) if kept > 1 else GOOD
        return make_sampler(
            setup.sampler, setup.seed, number, self._constraints, repeats, beside, good
        )

    def settled(self, choices: Choices) -> bool:
        """Whether it is known, or inferred, what would come of it."""
        setup = self.setup
        if setup.own:
            return False
        if digest(choices) in self.known:
            return True
        return setup.infers and hopeless(
            setup.space, choices, self.tried, setup.objectives, setup.limits
        )

    def _untried(self, number: int) -> Choices | None:
        """A point at random whose outcome is not known; None where there is none."""
        draw = random.Random(f"{self.setup.seed} {number}")
        space = self.setup.space
        dimensions = space.dimensions
        for _ in range(_DRAWS):
            point = space.settle({each.name: draw.choice(each.values) for each in dimensions})
            if not self.settled(point):
                return point
        lists = itertools.product(*(each.values for each in dimensions))
        names = [each.name for each in dimensions]
        points = (space.settle(dict(zip(names, values, strict=True))) for values in lists)
        return next((p for p in itertools.islice(points, _LISTED) if not self.settled(p)), None)

    def _constraints(self, trial: FrozenTrial) -> tuple[float, ...]:
        kept = trial.user_attrs.get(OUTCOME, {})
        if kept.get("state") == "complete":
            return tuple(0.0 for _ in range(len(self.setup.limits) + 1))
        broken = [each.violation(kept.get("figures", {})) for each in self.setup.limits]
        refused = 0.0 if any(value > 0 for value in broken) else _UNKNOWN
        return (refused, *broken)


def digest(choices: Choices) -> str:
    """A point as text, the same for the same choices."""
    return json.dumps(dict(choices), sort_keys=True)
