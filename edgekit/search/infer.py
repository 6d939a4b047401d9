"""What trials tell of others that were not made: stronger compression costs less and loses more.

Where all amounts of one trial are as strong as another's or stronger, and all else is the same, it
is taken to need no more flash, and to be no more accurate; and no more time and energy, where what
differs takes multiply-accumulates away (DS-CNN with packed zeros is up to 46 % slower than without,
so zeros tell nothing of time). So what a far milder trial lost is lost, and what a stronger one
could not save cannot be saved. A margin allows for noise; what is inferred is not built.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.search.objective import OBJECTIVES, Limit, Objective
from edgekit.search.space import Choices, Space

if TYPE_CHECKING:
    from edgekit.search.setup import Tried

MARGIN = {"accuracy": 0.5, "size": 0.02, "device": 0.02}
"""Share of a limit by which another trial must break it, by the stage that a figure is known in."""

_WORK = ".macs"


def hopeless(
    space: Space,
    choices: Choices,
    tried: Sequence[Tried],
    objectives: Sequence[Objective],
    limits: Sequence[Limit],
) -> bool:
    """Whether finished trials show that `choices` keep no limit, or are no better than the best."""
    best = _best(tried, objectives)
    for each in tried:
        side, work = _side(space, choices, each.choices)
        if side == 0:
            continue
        for limit in limits:
            stage = OBJECTIVES[limit.name].stage
            tells = side > 0 if stage == "accuracy" else side < 0
            if (
                tells
                and (work or stage != "device")
                and limit.violation(each.outcome.figures) > MARGIN[stage]
            ):
                return True
        if side < 0 and best is not None and (work or objectives[0].stage != "device"):
            found = each.outcome.figures.get(objectives[0].name)
            if found is not None and found > (1 + MARGIN["device"]) * best:
                return True
    return False


def _best(tried: Sequence[Tried], objectives: Sequence[Objective]) -> float | None:
    """Of a single cost; a front, an accuracy or a reward has none that stronger trials bound."""
    only = objectives[0]
    if len(objectives) > 1 or only.better == "higher" or only.stage == "accuracy":
        return None
    found = [each.outcome.figures[only.name] for each in tried if each.outcome.state == "complete"]
    return min(found, default=None)


def _side(space: Space, one: Choices, other: Choices) -> tuple[int, bool]:
    """1 where `one` is the stronger, -1 where it is the milder, 0 where they cannot be compared.

    And whether they differ in multiply-accumulates alone.
    """
    stronger = milder = False
    work = True
    for each in space.dimensions:
        if one.get(each.name) == other.get(each.name):
            continue
        if not each.amount:
            return 0, False
        work = work and each.name.endswith(_WORK)
        if each.values.index(one[each.name]) > each.values.index(other[each.name]):
            stronger = True
        else:
            milder = True
    return int(stronger) - int(milder), work
