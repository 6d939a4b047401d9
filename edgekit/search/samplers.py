"""What chooses the next trial: Optuna's samplers, seeded anew for each trial.

A sampler with a seed of the trial's own number draws the same for the same history, however often
the study was stopped and resumed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from collections.abc import Callable, Sequence
from functools import partial

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.trial import FrozenTrial

from edgekit.errors import MissingExtra

STARTUP = 8
"""Trials before TPE models anything."""
MODELLING = ("tpe", "gp")
"""Samplers that model what was found, and so learn from points that are spread."""
GOOD = 3
"""Trials that TPE takes for good ones; a tenth of all, Optuna's default, is one of ten: with a few
dozen trials, of which limits rule out most, that is too few to tell where good ones lie."""
POPULATION = 20
_CANDIDATES = 32
Constraints = Callable[[FrozenTrial], Sequence[float]]


def make_sampler(
    name: str,
    seed: int,
    number: int,
    constraints: Constraints,
    repeats: int = 0,
    beside: bool = False,
    good: int = GOOD,
) -> BaseSampler:
    """The sampler of one trial.

    Args:
        name: `tpe`, `nsga2`, `random` or `gp`; `netadapt` chooses for itself, beside this.
        seed: Of the study.
        number: Of the trial.
        constraints: Of a finished trial, above 0 where broken.
        repeats: How often the sampler just came up with what was tried before: TPE then chooses
            among ever fewer candidates, which scatter more widely around what is good.
        beside: Whether other trials run: TPE then stays away from them.
        good: Trials that TPE takes for good ones.

    Raises:
        MissingExtra: `gp` without PyTorch.
    """
    own = seed_of(seed, number, repeats)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # constraints, multivariate: since 3.0
        warnings.simplefilter("ignore", FutureWarning)  # gamma goes with Optuna 6
        if name == "tpe":
            return TPESampler(
                seed=own,
                multivariate=True,
                n_startup_trials=STARTUP,
                gamma=partial(min, good),  # of so many trials
                n_ei_candidates=max(1, _CANDIDATES >> repeats),
                constraints_func=constraints,
                constant_liar=beside,
            )
        if name == "nsga2":
            return NSGAIISampler(seed=own, population_size=POPULATION, constraints_func=constraints)
        if name == "gp":
            if importlib.util.find_spec("torch") is None:
                raise MissingExtra.of("PyTorch, which --sampler gp needs,", "gp")
            return GPSampler(seed=own, constraints_func=constraints, deterministic_objective=True)
        return RandomSampler(seed=own)


def seed_of(*parts: int) -> int:
    """One seed from several numbers, the same on every machine."""
    text = " ".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
