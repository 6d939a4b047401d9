"""What a study is about, and what came of one of its trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgekit.search.executor import Outcome
from edgekit.search.objective import Limit, Objective
from edgekit.search.space import Choices, Space


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
    """A finished trial: what was chosen, and what came of it.

    Attributes:
        choices: By the name of a dimension.
        outcome: What came of it.
        engine: Seconds that it took to choose it and to keep those that ended meanwhile.
    """

    choices: Mapping[str, Any]
    outcome: Outcome
    engine: float = 0.0

    @property
    def number(self) -> int:
        """Of the trial."""
        return self.outcome.number
