"""What chooses the next trial: Optuna's samplers, seeded anew for each trial.

A sampler with a seed of the trial's own number draws the same for the same history, however often
the study was stopped and resumed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.study import Study
from optuna.trial import FrozenTrial

from edgekit.errors import MissingExtra

STARTUP = 8
"""Trials before TPE models anything."""
GOOD = 3
"""Trials that TPE takes for good ones; a tenth of all, Optuna's default, is one of ten: with a few
dozen trials, of which limits rule out most, that is too few to tell where good ones lie."""
POPULATION = 20
_CANDIDATES = 32
Constraints = Callable[[FrozenTrial], Sequence[float]]


def make_sampler(
    name: str, seed: int, number: int, constraints: Constraints, repeats: int = 0
) -> BaseSampler:
    """The sampler of one trial.

    Args:
        name: `tpe`, `nsga2`, `random` or `gp`; `netadapt` chooses for itself, beside this.
        seed: Of the study.
        number: Of the trial.
        constraints: Of a finished trial, above 0 where broken.
        repeats: How often the sampler just came up with what was tried before: TPE then chooses
            among ever fewer candidates, which scatter more widely around what is good.

    Raises:
        MissingExtra: `gp` without PyTorch.
    """
    own = int.from_bytes(hashlib.sha256(f"{seed} {number}".encode()).digest()[:4], "big")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # constraints, multivariate: since 3.0
        warnings.simplefilter("ignore", FutureWarning)  # gamma goes with Optuna 6
        if name == "tpe":
            return TPESampler(
                seed=own,
                multivariate=True,
                n_startup_trials=STARTUP,
                gamma=_good,
                n_ei_candidates=max(1, _CANDIDATES >> repeats),
                constraints_func=constraints,
                constant_liar=True,
            )
        if name == "nsga2":
            return NSGAIISampler(seed=own, population_size=POPULATION, constraints_func=constraints)
        if name == "gp":
            if importlib.util.find_spec("torch") is None:
                raise MissingExtra.of("PyTorch, which --sampler gp needs,", "gp")
            return GPSampler(seed=own, constraints_func=constraints, deterministic_objective=True)
        return RandomSampler(seed=own)


def _good(trials: int) -> int:
    return min(trials, GOOD)


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
