"""How many trials run at once, and when the next are asked for: the policy of executors, pure.

`scripts/simulate_search.py` plays it on machines that do not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_ROUNDING = 1e-9  # 0.3 / 0.1 is 2.9999...


def slots(machines: Iterable[Mapping[str, float]], needs: Mapping[str, float]) -> int:
    """Trials that machines with these resources run at once, each trial on one of them.

    Args:
        machines: Amounts by name (`CPU`, `memory`, ...), a mapping a machine.
        needs: Of one trial; what it needs nothing of may be missing everywhere.
    """
    wanted = {name: amount for name, amount in needs.items() if amount > 0}
    return sum(_fit(machine, wanted) for machine in machines)


def _fit(machine: Mapping[str, float], wanted: Mapping[str, float]) -> int:
    counts = [int(machine.get(name, 0.0) / amount + _ROUNDING) for name, amount in wanted.items()]
    return min(counts, default=0)


@dataclass(frozen=True)
class Batching:
    """When recipes are drawn, and when outcomes are told.

    Attributes:
        batch: 0: a recipe is drawn as soon as there is room for its trial, so that no machine
            waits; which outcomes are known by then depends on who is faster. Else so many are
            drawn together, and the next only when all of them have ended and were told in order:
            the same seed then gives the same trials on any machines.
    """

    batch: int = 0

    def room(self, slots: int, running: int) -> int:
        """Recipes to draw now.

        Args:
            slots: Trials that the machines run at once.
            running: Trials that have begun and not ended.
        """
        if self.batch:
            return 0 if running else self.batch
        return max(0, slots - running)

    def due(self, ended: dict[int, T], running: int) -> list[T]:
        """Outcomes to tell now, by number in `ended`, from which they are taken."""
        if self.batch and running:
            return []
        return [ended.pop(number) for number in sorted(ended)]
