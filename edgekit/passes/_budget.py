"""Budgets of a smaller network: shares or counts of what it costs, several at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from edgekit.passes._remove_options import COUNTED, RemoveOptions
from edgekit.structure.groups import Cost
from edgekit.structure.units import Mask

Count = Callable[[Mask], float]


@dataclass(frozen=True)
class _Limit:
    """One budget: what is counted, what the whole network has of it, and what may stay."""

    name: str
    wanted: float
    count: Count
    whole: float
    most: float

    def at(self, progress: float) -> float:
        """What may stay on the way there."""
        return self.whole - progress * (self.whole - min(self.most, self.whole))


class Budget:
    """What of a network may stay.

    Args:
        cost: Of the network.
        options: Budgets.
        units: That there are.
        measured: What `measure` says of the units that stay, where there is such a budget.
        wholes: Budget -> what shares of it are of, where the network is not whole any more.
    """

    def __init__(
        self,
        cost: Cost,
        options: RemoveOptions,
        units: int,
        measured: Count | None = None,
        wholes: Mapping[str, float] | None = None,
    ) -> None:
        counts = [(name, getattr(options, name), getattr(cost, name)) for name in COUNTED]
        if measured is not None:
            counts += [("latency", options.latency, measured)]
            counts += [("latency_limit", options.latency_limit, measured)]
        everything = np.ones(units, bool)
        self._limits = []
        for name, wanted, count in counts:
            if wanted:
                whole = wholes[name] if wholes else count(everything)
                share = wanted < 1 and name != "latency_limit"
                most = wanted * whole if share else wanted
                self._limits.append(_Limit(name, wanted, count, whole, most))

    @property
    def wholes(self) -> dict[str, float]:
        """Budget -> what the whole network has of it."""
        return {each.name: each.whole for each in self._limits}

    def holds(self, keep: Mask, progress: float = 1.0) -> bool:
        """Whether what is kept is within the budgets, so far on the way there (0 to 1)."""
        return all(limit.count(keep) <= limit.at(progress) for limit in self._limits)

    def saving(self, before: Mask, after: Mask, progress: float) -> float:
        """The largest share of a budget that is not kept yet and that the difference saves."""
        open_ones = [each for each in self._limits if each.count(before) > each.at(progress)]
        saved = [(each.count(before) - each.count(after)) / each.whole for each in open_ones]
        return max(saved, default=0.0)

    def missed(self, keep: Mask) -> str:
        """What does not hold, in words."""
        limit = next(each for each in self._limits if each.count(keep) > each.most)
        left = limit.count(keep)
        shared = limit.wanted < 1 and limit.name != "latency_limit"
        stays = f"{left / limit.whole:.2f} of it" if shared else f"{left:.6g}"
        return f"{limit.name} = {limit.wanted:g} cannot be reached: {stays} stays"
