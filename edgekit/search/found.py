"""What a search found, and its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgekit.search.study import Setup, Tried

if TYPE_CHECKING:
    from edgekit.evaluate.accuracy import Accuracy

FILE, TIMES = "search.json", "times.json"
SCHEMA = 1


@dataclass(frozen=True)
class Point:
    """A build on the front, and its accuracy on the evaluation data; None without labels."""

    tried: Tried
    evaluation: Accuracy | None = None


@dataclass(frozen=True)
class Found:
    """What came of a search.

    Attributes:
        target: Its name.
        folder: With builds and recipes, relative to the root.
        setup: What was searched, by what.
        tried: All trials, in the order in which they ended.
        front: The builds within all limits that no other is better than.
    """

    target: str
    folder: str
    setup: Setup
    tried: tuple[Tried, ...]
    front: tuple[Point, ...]

    def to_json(self) -> dict[str, Any]:
        """The report; it holds no times and is the same for the same seed."""
        return {
            "schema": SCHEMA,
            "target": self.target,
            "folder": self.folder,
            **self.setup.to_json(),
            "trials": [_trial(each) for each in sorted(self.tried, key=lambda one: one.number)],
            "front": [_point(each) for each in self.front],
        }

    def times(self) -> dict[str, Any]:
        """What it took, in seconds, over all runs of the study: never twice the same."""
        return {
            "schema": SCHEMA,
            "trials": len(self.tried),
            "trials_s": round(sum(each.outcome.seconds for each in self.tried), 3),
            "engine_s": round(sum(each.engine for each in self.tried), 3),
        }


def _trial(tried: Tried) -> dict[str, Any]:
    outcome = tried.outcome
    return {
        "number": outcome.number,
        "state": outcome.state,
        "stage": outcome.stage,
        "reason": outcome.reason,
        "choices": dict(tried.choices),
        "figures": dict(outcome.figures),
        "how": dict(outcome.how),
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "number": point.tried.number,
        "build": point.tried.outcome.folder,
        "evaluation": point.evaluation.to_json() if point.evaluation else None,
    }
