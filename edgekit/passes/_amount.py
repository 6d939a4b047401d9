"""How many units leave each group, and which."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import UsageError
from edgekit.passes._remove_options import RemoveOptions
from edgekit.structure.groups import Cost, Group
from edgekit.structure.units import Mask

Array = NDArray[Any]


def choose(
    found: Sequence[Group],
    shares: Mapping[int, float],
    scores: Array,
    cost: Cost,
    options: RemoveOptions,
    progress: float = 1.0,
) -> Mask:
    """The units that stay, bool [units].

    Args:
        found: Groups that may lose units.
        shares: Place in `found` -> the share that leaves it, where that is given.
        scores: What each unit is worth.
        cost: Of the network.
        options: Amounts.
        progress: How far on the way to the amounts, 0 to 1: the last round has 1.

    Raises:
        UsageError: A budget that cannot be reached.
    """
    keep = np.ones(len(scores), bool)
    rest = []
    for place, group in enumerate(found):
        if options.budget and place not in shares:
            rest.append(group)
            continue
        share = progress * shares.get(place, options.share)
        _leave(keep, group, scores, round((1 - share) * len(group.units)), options)
    if options.budget:
        _rank(keep, rest, scores, cost, options, progress)
    return keep


def _leave(keep: Mask, group: Group, scores: Array, stay: int, options: RemoveOptions) -> None:
    """All but `stay` of the group's units leave, the least worth first; rounded to `multiple`."""
    stay = min(max(stay, fewest(group, options)), len(group.units))
    if stay < len(group.units):
        stay = max(stay // options.multiple, 1) * options.multiple
    order = np.argsort(scores[group.units], kind="stable")
    keep[group.units[order[: max(len(group.units) - stay, 0)]]] = False


def fewest(group: Group, options: RemoveOptions) -> int:
    """Units that stay in any case."""
    least = max(math.ceil(options.least * len(group.units)), 1)
    return min(math.ceil(least / options.multiple) * options.multiple, len(group.units))


def _rank(
    keep: Mask,
    found: Sequence[Group],
    scores: Array,
    cost: Cost,
    options: RemoveOptions,
    progress: float,
) -> None:
    """Units leave in the order of what they are worth for what they cost, until budgets hold."""
    budget = _Budget(cost, options, len(keep), progress)
    left = [len(group.units) for group in found]
    of = {int(unit): place for place, group in enumerate(found) for unit in group.units}
    value = {unit: scores[unit] / budget.saving(unit) for unit in of}
    for unit in sorted(of, key=lambda unit: value[unit]):
        if budget.holds(_rounded(keep, found, scores, options)):
            break
        place = of[unit]
        if left[place] > fewest(found[place], options):
            keep[unit] = False
            left[place] -= 1
    keep &= _rounded(keep, found, scores, options)
    if not budget.holds(keep):
        raise UsageError(
            f"{budget.missed(keep)}, even where every group keeps its {options.least:g} alone",
            "ask for less, or lower least",
        )


def _rounded(keep: Mask, found: Sequence[Group], scores: Array, options: RemoveOptions) -> Mask:
    if options.multiple == 1:
        return keep
    rounded = keep.copy()
    for group in found:
        _leave(rounded, group, scores, int(keep[group.units].sum()), options)
    return rounded


class _Budget:
    """Shares of the multiply-accumulates and of the parameters that may stay."""

    def __init__(self, cost: Cost, options: RemoveOptions, units: int, progress: float) -> None:
        whole = np.ones(units, bool)
        wanted = (
            ("macs", options.macs, cost.macs),
            ("parameters", options.parameters, cost.parameters),
        )
        self._limits = [
            (name, share, count, count(whole), 1 - progress * (1 - share))
            for name, share, count in wanted
            if share
        ]
        self._whole = whole

    def holds(self, keep: Mask) -> bool:
        """Whether what is kept is within the budget."""
        return all(count(keep) <= limit * whole for *_, count, whole, limit in self._limits)

    def missed(self, keep: Mask) -> str:
        """What does not hold, in words."""
        name, share, count, whole, _ = next(
            each for each in self._limits if each[2](keep) > each[4] * each[3]
        )
        return f"{name} = {share:g} cannot be reached: {count(keep) / whole:.2f} of them stay"

    def saving(self, unit: int) -> float:
        """The largest share of a budget's amount that goes with a unit."""
        without = self._whole.copy()
        without[unit] = False
        return max(1 - count(without) / whole for *_, count, whole, _ in self._limits) or 1e-12
