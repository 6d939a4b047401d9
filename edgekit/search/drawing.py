"""How a trial gets its point: one that is given, or what a sampler draws until one is worth it.

Optuna asks a sampler once a trial; what it comes up with may have been tried, or be told by others.
It is then asked again for the same trial, so that a study holds no trials that were none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from edgekit.search.space import Choices, Space

DRAWS = 12
"""Of a point that is settled, before one that is not is taken at random."""
Draw = Callable[[int], BaseSampler]


class Given(BaseSampler):
    """Chooses what it is given, and what is not among that at random.

    Args:
        params: As a study stores them.
        seed: For the others.
    """

    def __init__(self, params: Mapping[str, Any], seed: int = 0) -> None:
        self._params = dict(params)
        self._others = RandomSampler(seed=seed)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Nothing: each is given on its own."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing."""
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """The given value."""
        if param_name in self._params:
            return self._params[param_name]
        return self._others.sample_independent(study, trial, param_name, param_distribution)


class Unsettled(BaseSampler):
    """Draws until a point comes up whose outcome is not known.

    Args:
        space: What is chosen; nothing else may be.
        draw: The sampler of a draw, by how many before it came up with what is settled.
        settled: Whether it is known what would come of a point.
        otherwise: The point that is taken after `DRAWS`; None: whatever was drawn.
    """

    def __init__(
        self,
        space: Space,
        draw: Draw,
        settled: Callable[[Choices], bool],
        otherwise: Callable[[], Choices | None],
    ) -> None:
        self._space, self._draw = space, draw
        self._settled, self._otherwise = settled, otherwise

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """All of it: a sampler that models nothing yet is asked one by one."""
        return self._space.distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The first draw that is worth a trial."""
        params: dict[str, Any] = {}
        for repeats in range(DRAWS):
            sampler = self._draw(repeats)
            params = sampler.sample_relative(study, trial, search_space)
            params |= {  # in the space's order: a set has another one in each process
                name: sampler.sample_independent(study, trial, name, distribution)
                for name, distribution in search_space.items()
                if name not in params
            }
            if not self._settled(self._space.chosen(params)):
                return params
        point = self._otherwise()
        return params if point is None else self._space.stored(point)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Nothing is left to be asked one by one."""
        raise AssertionError(f"{param_name} is no dimension of the space")
