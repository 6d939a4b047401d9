"""What a sampler is asked for a trial, and in which order."""

from __future__ import annotations

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from edgekit.search.drawing import Unsettled
from edgekit.search.space import Dimension, Space

NAMES = [f"pass{number}.amount" for number in range(12)]
SPACE = Space(tuple(Dimension(name, (0.1, 0.2, 0.3, 0.4)) for name in NAMES))


def test_dimensions_are_drawn_in_their_order() -> None:
    # the order of a set of names differs between processes, and with it what a seed draws
    asked: list[str] = []

    class Noting(RandomSampler):
        def sample_independent(
            self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution
        ) -> object:
            asked.append(name)
            return super().sample_independent(study, trial, name, distribution)

    sampler = Unsettled(SPACE, lambda _: Noting(seed=0), lambda _: False, lambda: None)
    SPACE.suggest(optuna.create_study(sampler=sampler).ask())
    assert asked == NAMES
