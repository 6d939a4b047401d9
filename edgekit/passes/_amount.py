"""How many units leave each group, and which."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import UsageError
from edgekit.passes._budget import Budget
from edgekit.passes._remove_options import RemoveOptions
from edgekit.structure.groups import Group
from edgekit.structure.units import Mask

Array = NDArray[Any]
_KERNELS, _WIDE = 4, 16
"""Channels that kernels work on at a time, and from how many in a group on they decide: a step is
a quarter at most. ResNet8 with 51 % of its work takes 1.75 times fewer instructions with multiples
of four, with 49 % and others 1.67 times fewer (emulated Cortex-M4)."""
_STEPS = 32
"""Steps, at most, in which a group is emptied under a budget."""
_TINY = 1e-12


def choose(
    found: Sequence[Group],
    shares: Mapping[int, float],
    scores: Array,
    options: RemoveOptions,
    budget: Budget | None = None,
    progress: float = 1.0,
    losses: Sequence[Array] | None = None,
) -> Mask:
    """The units that stay, bool [units].

    Args:
        found: Groups that may lose units.
        shares: Place in `found` -> the share that leaves it, where that is given.
        scores: What each unit is worth; the worth of several is their sum. -inf has left already.
        options: Amounts.
        budget: For the groups without a share.
        progress: How far on the way to the amounts, 0 to 1: the last round has 1.
        losses: For each of `found` what is lost with 0, 1, ... and all of its units gone; None:
            what they are worth.

    Raises:
        UsageError: A budget that cannot be reached.
    """
    keep = np.ones(len(scores), bool)
    for place, share in shares.items():
        _thin(keep, found[place], scores, progress * share, options)
    if budget is None:
        return keep
    rest = [place for place in range(len(found)) if place not in shares]
    if options.allocate == "uniform":
        _evenly(keep, [found[place] for place in rest], scores, budget, options, progress)
    else:
        curves = [losses[place] if losses else None for place in rest]
        steps = [
            _Step(found[place], scores, options, curve)
            for place, curve in zip(rest, curves, strict=True)
        ]
        _where_least_is_lost(keep, steps, budget, progress)
    if not budget.holds(keep, progress):
        raise UsageError(
            f"{budget.missed(keep)}, even where every group keeps its {options.least:g} alone",
            "ask for less, lower least, or write multiple = 1",
        )
    return keep


def fewest(group: Group, options: RemoveOptions) -> int:
    """Units that stay in any case."""
    multiple, units = _multiple(group, options), len(group.units)
    least = max(math.ceil(options.least * units), 1)
    return min(math.ceil(least / multiple) * multiple, units)


def _multiple(group: Group, options: RemoveOptions) -> int:
    return options.multiple or (_KERNELS if len(group.units) >= _WIDE else 1)


def _thin(keep: Mask, group: Group, scores: Array, share: float, options: RemoveOptions) -> None:
    """A share of the group leaves: as near to it as the multiple allows."""
    multiple, units = _multiple(group, options), len(group.units)
    stay = max(round((1 - share) * units / multiple), 1) * multiple
    _leave(keep, group, scores, min(max(stay, fewest(group, options)), units))


def _leave(keep: Mask, group: Group, scores: Array, stay: int) -> None:
    """All but `stay` of the group's units leave, the least worth first."""
    order = np.argsort(scores[group.units], kind="stable")
    keep[group.units] = True
    keep[group.units[order[: len(group.units) - stay]]] = False


def _evenly(
    keep: Mask,
    found: Sequence[Group],
    scores: Array,
    budget: Budget,
    options: RemoveOptions,
    progress: float,
) -> None:
    """The least share of every group, in steps of a 64th, with which the budgets hold."""
    for step in range(65):
        if budget.holds(keep, progress):
            return
        for group in found:
            _thin(keep, group, scores, step / 64, options)


def _where_least_is_lost(
    keep: Mask, steps: Sequence[_Step], budget: Budget, progress: float
) -> None:
    """Step by step, always from the group that loses least for what that saves.

    As NetAdapt does (Yang et al. 2018, arXiv:1804.03230), with a known loss for its trials.
    Savings get less as others shrink, so that only what looks best is looked at again.
    """
    queue = [(step.price(keep, budget, progress), place) for place, step in enumerate(steps)]
    taken: list[Array] = []
    heapq.heapify(queue)
    while queue and not budget.holds(keep, progress):
        _, place = heapq.heappop(queue)
        price = steps[place].price(keep, budget, progress)
        if queue and price > queue[0][0]:
            heapq.heappush(queue, (price, place))
        elif price < math.inf:
            taken.append(steps[place].take())
            keep[taken[-1]] = False
            heapq.heappush(queue, (steps[place].price(keep, budget, progress), place))
    _give_back(keep, taken, budget, progress)


def _give_back(keep: Mask, taken: Sequence[Array], budget: Budget, progress: float) -> None:
    """What left and need not have, since what left later saved more; the dearest first."""
    for units in reversed(taken if budget.holds(keep, progress) else ()):
        keep[units] = True
        if not budget.holds(keep, progress):
            keep[units] = False


class _Step:
    """The units that would leave a group next."""

    def __init__(
        self, group: Group, scores: Array, options: RemoveOptions, losses: Array | None
    ) -> None:
        self._order = group.units[np.argsort(scores[group.units], kind="stable")]
        worth = np.append(0, np.cumsum(np.maximum(scores[self._order], 0)))
        self._losses = worth if losses is None else losses
        self._multiple = _multiple(group, options)
        self._width = math.ceil(len(self._order) / _STEPS / self._multiple) * self._multiple
        self._fewest, self._gone = fewest(group, options), 0

    def _end(self) -> int:
        """How many have left after the step; the first brings the rest to the multiple."""
        stay = len(self._order) - self._gone
        stay = (stay - 1) // self._multiple * self._multiple + self._multiple - self._width
        return len(self._order) - max(stay, self._fewest)

    def price(self, keep: Mask, budget: Budget, progress: float) -> float:
        """What is lost for what is saved; infinite where no more may leave."""
        end = self._end()
        if end <= self._gone:
            return math.inf
        after = keep.copy()
        after[self._order[:end]] = False
        lost = float(self._losses[end] - self._losses[self._gone])
        return lost / max(budget.saving(keep, after, progress), _TINY)

    def take(self) -> Array:
        """The units that leave with this step."""
        gone, self._gone = self._gone, self._end()
        return self._order[gone : self._gone]
