"""What the next trial is: Optuna's choice, unless that is settled, then one that is not."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from edgekit.search import netadapt
from edgekit.search.infer import hopeless
from edgekit.search.samplers import Given, make_sampler
from edgekit.search.setup import Setup, Tried
from edgekit.search.space import Choices

if TYPE_CHECKING:
    import optuna

OUTCOME = "outcome"
"""Attribute of a finished trial; one that came up with what was settled has none."""
_UNKNOWN = 1.0
"""Violation of a trial that cannot be built: as bad as twice a limit."""
_RETRIES = 12
"""Draws of a point that was tried already, before one that was not is taken at random."""
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

    def sampler(self, number: int) -> BaseSampler | None:
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
            return self.plain(number, repeats)
        return Given(setup.space.stored(point), setup.seed) if point else None

    def plain(self, number: int, repeats: int = 0) -> BaseSampler:
        """Optuna's own, which keeps with a trial that is told what it broke."""
        setup = self.setup
        return make_sampler(setup.sampler, setup.seed, number, self._constraints, repeats)

    def _repeats(self, number: int) -> int:
        """How many trials in front of it came up with what was settled."""
        before = self._study.get_trials(deepcopy=False)[:number]
        told = (OUTCOME in each.user_attrs or not each.state.is_finished() for each in before[::-1])
        return next((count for count, found in enumerate(told) if found), len(before))

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
