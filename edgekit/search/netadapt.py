"""A greedy baseline: step by step to a lower cost, by whichever single step loses least.

After Yang et al. 2018 (NetAdapt), arXiv:1804.03230. From the point that it stands on, each choice
alone is made one step stronger; of those neighbours that cost less, the one that is most like the
float model is stood on next. What it is to come down in is the first objective that is no accuracy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from edgekit.search.objective import OBJECTIVES, Limit, Objective
from edgekit.search.space import Choices, Space

if TYPE_CHECKING:
    from edgekit.search.setup import Tried

_LIKENESS = ("drop", "agreement")


def propose(
    space: Space,
    tried: Sequence[Tried],
    objectives: Sequence[Objective],
    limits: Sequence[Limit],
) -> dict[str, Any] | None:
    """The next point; None where no step is left.

    Args:
        space: What may be chosen.
        tried: All finished trials.
        objectives: Of the search.
        limits: Of the search; the first resource among them where no objective is one.
    """
    known = {_key(each.choices): each for each in tried}
    costs = _costs(objectives, limits)
    here = space.mildest
    for _ in range(sum(len(each.values) for each in space.dimensions)):
        if _key(here) not in known:
            return here
        around = list(_neighbours(space, here))
        open_ = [point for point in around if _key(point) not in known]
        if open_:
            return open_[0]
        cost = next((name for name in costs if name in known[_key(here)].outcome.figures), "bytes")
        cheaper = [
            point for point in around if _figure(known, point, cost) < _figure(known, here, cost)
        ]
        if not cheaper:
            return None
        here = min(cheaper, key=lambda at: (_lost(known, at), _figure(known, at, cost)))
    return None


def _neighbours(space: Space, here: Choices) -> Iterator[dict[str, Any]]:
    """One step along each dimension; of an unordered one all others."""
    for each in space.dimensions:
        if each.name not in here:
            continue
        place = each.values.index(here[each.name])
        others = each.values[place + 1 : place + 2] if each.ordered else each.values
        for value in others:
            if value != here[each.name]:
                yield space.settle({**here, each.name: value})


def _costs(objectives: Sequence[Objective], limits: Sequence[Limit]) -> list[str]:
    """Resources, the one that matters most first; a stage may end a trial before it is known."""
    named = [each.name for each in objectives] + [each.name for each in limits]
    every = [OBJECTIVES[name] for name in (*named, "macs")]
    return [each.name for each in every if each.stage != "accuracy" and each.better == "lower"]


def _figure(known: dict[str, Tried], point: Choices, name: str) -> float:
    return known[_key(point)].outcome.figures.get(name, float("inf"))


def _lost(known: dict[str, Tried], point: Choices) -> float:
    """Points or percent lost; infinite where it is not known."""
    figures = known[_key(point)].outcome.figures
    if "drop" in figures:
        return figures["drop"]
    return 100 - figures["agreement"] if "agreement" in figures else float("inf")


def _key(choices: Choices) -> str:
    return json.dumps(dict(choices), sort_keys=True)
