"""Is a build good enough? What it may cost at most, against what was measured, and how surely.

Broken is decided by the estimate, so that few samples refuse no build by their width alone; where
the estimate is within the budget and the end of its 95 % interval is not, it is unproven, and the
number of samples is told that would prove an estimate like this one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from edgekit.errors import DataError, UsageError
from edgekit.evaluate.intervals import paired_proportions, samples_to_decide, wilson
from edgekit.problem import Problem

if TYPE_CHECKING:
    from edgekit.evaluate.accuracy import Accuracy
    from edgekit.evaluate.fidelity import Fidelity

State = Literal["kept", "unproven", "broken"]
MOST = 1_000_000
"""Samples; beyond this it is only said that more would decide."""
_EQUAL = 1e-9  # 100 * (0.97 - 0.96) is not 1
_PERCENT = ("top1", "auc")


@dataclass(frozen=True)
class Budget:
    """What a build may cost; None is no limit.

    Attributes:
        accuracy_drop: The most, in points of top1 and auc; in the metric's own unit else.
        agreement: The least, in percent of rows whose largest output is at the same place.
        sqnr: The least signal to quantization noise ratio of the outputs, in dB.
    """

    accuracy_drop: float | None = None
    agreement: float | None = None
    sqnr: float | None = None

    def __bool__(self) -> bool:
        return any(limit is not None for limit in asdict(self).values())


@dataclass(frozen=True)
class Limit:
    """One limit of a budget and how it stands.

    Attributes:
        name: `accuracy_drop`, `agreement` or `sqnr`.
        asked: The limit.
        measured: The estimate.
        unit: Of both: `points`, `%`, `dB`, or "" for a metric with a unit of its own.
        interval: 95 % confidence interval of the estimate, None where there is none (sqnr).
        samples: That were measured on.
        state: `kept`, `unproven` or `broken`.
        deciding: Where it is unproven: the number of samples that would prove an estimate like
            this one; None where it is the limit itself, which no number does.
    """

    name: str
    asked: float
    measured: float
    unit: str
    interval: tuple[float, float] | None
    samples: int
    state: State
    deciding: int | None = None

    @property
    def excess(self) -> float:
        """How far the estimate is on the wrong side of the limit; negative: on the right one."""
        excess = self.measured - self.asked
        return excess if self.name == "accuracy_drop" else -excess

    @property
    def text(self) -> str:
        """The limit in one line, for people."""
        most = "at most" if self.name == "accuracy_drop" else "at least"
        how = [f"{self.samples:,} samples"]
        if self.interval is not None:
            low, high = (f"{end:.2f}" for end in self.interval)
            how.insert(0, f"95 % interval {low} to {high}")
        if self.state == "unproven":
            how.append(self._deciding)
        return f"{self.brief}, {most} {self.asked:.6g} asked: {self.state} ({', '.join(how)})"

    @property
    def brief(self) -> str:
        """The estimate alone."""
        title = {"accuracy_drop": "accuracy drop", "agreement": "top-1 agreement"}
        return f"{title.get(self.name, 'SQNR')} {self.measured:.2f} {self.unit}".rstrip()

    @property
    def _deciding(self) -> str:
        if self.deciding is None:
            return "no number would decide: the estimate is the limit itself"
        if self.deciding > MOST:
            return f"more than {MOST:,} would decide"
        return f"about {self.deciding:,} would decide"

    def to_json(self) -> dict[str, Any]:
        """The limit as the manifest stores it, rounded to six digits after the point."""
        interval = [round(end, 6) for end in self.interval] if self.interval else None
        return {**asdict(self), "measured": round(self.measured, 6), "interval": interval}


@dataclass(frozen=True)
class Verdict:
    """How a build stands against its budget.

    Attributes:
        state: The worst of `limits`; `broken` also for an unproven one where that was strict.
        limits: One for each limit that is set.
    """

    state: State = "kept"
    limits: tuple[Limit, ...] = ()

    @property
    def rank(self) -> tuple[int, float]:
        """Smaller is better: first the state, then by how much the limits are exceeded."""
        exceeded = sum(max(0.0, limit.excess) for limit in self.limits)
        return ("kept", "unproven", "broken").index(self.state), exceeded

    @property
    def text(self) -> str:
        """What is not kept, or everything if all is."""
        lacking = [limit.text for limit in self.limits if limit.state != "kept"]
        return "; ".join(lacking or [limit.text for limit in self.limits])

    @property
    def brief(self) -> str:
        """Every estimate, and the state."""
        return f"{', '.join(limit.brief for limit in self.limits)}: {self.state}"

    @property
    def only_unproven(self) -> bool:
        """Whether it is broken for want of samples alone: each estimate is within its limit."""
        return all(limit.state != "broken" for limit in self.limits)

    def problems(self) -> tuple[Problem, ...]:
        """A warning for each limit that the samples do not prove."""
        hint = "give more evaluation samples; --strict refuses such a build"
        return tuple(
            Problem("warning", "budget", limit.text, hint)
            for limit in self.limits
            if limit.state == "unproven"
        )

    def to_json(self) -> dict[str, Any]:
        """The verdict as the manifest stores it."""
        return {"state": self.state, "limits": [limit.to_json() for limit in self.limits]}


def verdict(
    budget: Budget, accuracy: Accuracy | None, fidelity: Fidelity | None, strict: bool = False
) -> Verdict:
    """Hold what was measured against the budget.

    Args:
        budget: The limits.
        accuracy: Of float and built model on the same labelled rows.
        fidelity: Of the built model's outputs.
        strict: Whether a limit that is not proven counts as broken.

    Raises:
        UsageError: Accuracy is limited, and there are no labels; or agreement is, and the model
            has no classes.
        DataError: There are no rows to compare on.
    """
    limits = []
    if budget.accuracy_drop is not None:
        limits.append(_accuracy(budget.accuracy_drop, accuracy))
    if budget.agreement is not None:
        limits.append(_agreement(budget.agreement, _measured(fidelity)))
    if budget.sqnr is not None:
        limits.append(_sqnr(budget.sqnr, _measured(fidelity)))
    states = {limit.state for limit in limits}
    if "broken" in states or (strict and "unproven" in states):
        return Verdict("broken", tuple(limits))
    return Verdict("unproven" if "unproven" in states else "kept", tuple(limits))


def _accuracy(asked: float, accuracy: Accuracy | None) -> Limit:
    if accuracy is None:
        raise UsageError(
            "--max-drop needs labels: there are no labelled rows to judge on",
            "give --evaluation DATA with labels, or --min-agreement, which needs none",
        )

    def proven(times: float) -> bool:
        return _upper(accuracy, times) <= asked + _EQUAL

    unit = "points" if accuracy.metric in _PERCENT else ""
    figures = (asked, accuracy.drop, unit, accuracy.interval, accuracy.samples)
    return _limit("accuracy_drop", *figures, accuracy.drop <= asked + _EQUAL, proven)


def _upper(accuracy: Accuracy, times: float) -> float:
    """Upper end of the drop's interval if the same came of `times` as many samples."""
    if accuracy.discordant is None or times == 1:
        return accuracy.drop + (accuracy.interval[1] - accuracy.drop) / math.sqrt(times)
    first, second = accuracy.discordant
    both = round(accuracy.float * accuracy.samples / 100) - first
    counts = (both, first, second, accuracy.samples - both - first - second)
    return 100 * paired_proportions(*(times * count for count in counts))[1]


def _agreement(asked: float, fidelity: Fidelity) -> Limit:
    if fidelity.top1_agreement is None:
        raise UsageError(
            "--min-agreement needs classes: the model's outputs are no class scores",
            "set [budget] sqnr instead, e.g. --set budget.sqnr=20.0",
        )
    agreeing = round(fidelity.samples * fidelity.top1_agreement / 100)

    def interval(times: float) -> tuple[float, float]:
        low, high = wilson(times * agreeing, times * fidelity.samples)
        return 100 * low, 100 * high

    def proven(times: float) -> bool:
        return interval(times)[0] >= asked - _EQUAL

    figures = (asked, fidelity.top1_agreement, "%", interval(1), fidelity.samples)
    return _limit("agreement", *figures, fidelity.top1_agreement >= asked - _EQUAL, proven)


def _sqnr(asked: float, fidelity: Fidelity) -> Limit:
    """By the estimate alone: it is a ratio of sums over all outputs, not a share of rows."""
    within = fidelity.sqnr_db >= asked - _EQUAL
    figures = (asked, fidelity.sqnr_db, "dB", None, fidelity.samples)
    return _limit("sqnr", *figures, within, lambda times: True)


def _limit(
    name: str,
    asked: float,
    measured: float,
    unit: str,
    interval: tuple[float, float] | None,
    samples: int,
    within: bool,
    proven: Callable[[float], bool],
) -> Limit:
    figures = (name, asked, measured, unit, interval, samples)
    if not within or proven(1):
        return Limit(*figures, "kept" if within else "broken")
    at_limit = abs(measured - asked) <= _EQUAL
    deciding = None if at_limit else samples_to_decide(proven, samples, MOST)
    return Limit(*figures, "unproven", deciding)


def _measured(fidelity: Fidelity | None) -> Fidelity:
    if fidelity is None:
        raise DataError(
            "the budget needs rows to compare float and built model on, and there are none",
            "give --evaluation DATA, or more calibration rows than --samples takes",
        )
    return fidelity
