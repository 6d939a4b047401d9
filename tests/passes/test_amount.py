"""How many units leave each group: shares, budgets, multiples, and what stays in any case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_nets import Net

from edgekit.errors import UsageError
from edgekit.graph.read import read
from edgekit.passes._amount import choose, fewest
from edgekit.passes._budget import Budget
from edgekit.passes._remove_options import RemoveOptions
from edgekit.structure.dependencies import Dependencies, dependencies
from edgekit.structure.groups import Cost, groups
from edgekit.structure.units import Mask

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def known() -> Dependencies:
    """Two dense layers of 16 and 8 neurons, of which the first costs more."""
    net = Net(32).dense(RANDOM.normal(size=(16, 32))).dense(RANDOM.normal(size=(8, 16)))
    return dependencies(read(net.dense(RANDOM.normal(size=(2, 8))).tflite()))


def chosen(known: Dependencies, scores: np.ndarray | None = None, **values: Any) -> Mask:
    options = RemoveOptions(**values)
    able = [group for group in groups(known) if not group.why]
    shares = {} if options.budget else dict.fromkeys(range(len(able)), options.share)
    worth = np.arange(known.count, dtype=float) if scores is None else scores
    budget = Budget(Cost(known), options, known.count) if options.budget else None
    return choose(able, shares, worth, options, budget)


def left(known: Dependencies, keep: Mask) -> list[int]:
    return [int(keep[group.units].sum()) for group in groups(known) if not group.why]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"share": 0.25}, [12, 6]),
        ({"share": 0.9, "least": 0.5}, [8, 4]),
        ({"share": 0.99, "least": 0, "multiple": 1}, [1, 1]),
        ({"share": 0.99, "least": 0}, [4, 1]),
        ({"share": 0.3}, [12, 6]),
        ({"share": 0.4, "multiple": 4}, [8, 4]),
        ({"share": 0.4, "multiple": 8}, [8, 8]),
        ({"share": 0.1, "multiple": 16}, [16, 8]),
    ],
)
def test_a_share_of_every_group_leaves(
    known: Dependencies, values: dict[str, Any], wanted: list[int]
) -> None:
    assert left(known, chosen(known, **values)) == wanted


def test_the_least_worth_leave(known: Dependencies) -> None:
    scores = RANDOM.normal(size=known.count)
    keep = chosen(known, scores, share=0.5)
    for group in groups(known):
        gone = scores[group.units][~keep[group.units]]
        assert gone.size == 0 or gone.max() < scores[group.units][keep[group.units]].min()


@pytest.mark.parametrize("key", ["macs", "parameters", "bytes"])
@pytest.mark.parametrize("share", [0.8, 0.5, 0.3])
def test_a_budget_is_met_and_hardly_more(known: Dependencies, key: str, share: float) -> None:
    cost, worth = Cost(known), np.ones(known.count)
    keep = chosen(known, worth, multiple=1, **{key: share})
    count = getattr(cost, key)
    whole = count(np.ones(known.count, bool))
    assert count(keep) <= share * whole
    for unit in np.flatnonzero(~keep):
        with_it = keep.copy()
        with_it[unit] = True
        assert count(with_it) > (share - 0.1) * whole


def test_a_count_is_a_budget_as_a_share_is(known: Dependencies) -> None:
    worth = np.ones(known.count)
    whole = Cost(known).macs(np.ones(known.count, bool))
    assert whole == 16 * 32 + 8 * 16 + 2 * 8
    np.testing.assert_array_equal(
        chosen(known, worth, macs=0.5), chosen(known, worth, macs=whole / 2)
    )


def test_bytes_are_those_of_int8(known: Dependencies) -> None:
    cost, every = Cost(known), np.ones(known.count, bool)
    assert cost.parameters(every) == cost.macs(every) + 16 + 8 + 2
    assert cost.bytes(every) == cost.macs(every) + 4 * (16 + 8 + 2)


def test_every_group_gives_the_same_share_where_that_is_asked_for(known: Dependencies) -> None:
    worth = np.ones(known.count)
    worth[groups(known)[0].units] = 1000
    assert left(known, chosen(known, worth, macs=0.5, allocate="uniform")) == [8, 5]
    assert left(known, chosen(known, worth, macs=0.5)) == [8, 7]


def test_what_was_measured_goes_before_what_is_judged(known: Dependencies) -> None:
    able = [group for group in groups(known) if not group.why]
    scores = np.ones(known.count)
    scores[able[1].units] = 1000
    options = RemoveOptions(macs=0.5, allocate="sensitivity")
    budget = Budget(Cost(known), options, known.count)
    curves = [np.linspace(0, 9, 17), np.linspace(0, 0.001, 9)]
    keep = choose(able, {}, scores, options, budget, losses=curves)
    assert left(known, keep) == [8, 7]
    assert left(known, choose(able, {}, scores, options, budget)) == [4, 8]


def test_what_need_not_have_left_stays(known: Dependencies) -> None:
    """The last step is a large one: an earlier one was not needed."""
    worth = np.full(known.count, 1e-3)
    worth[groups(known)[0].units] = 1.0
    assert left(known, chosen(known, worth, macs=0.76, multiple=4)) == [12, 8]


def test_two_budgets_hold_both(known: Dependencies) -> None:
    cost, worth = Cost(known), np.ones(known.count)
    keep = chosen(known, worth, macs=0.7, bytes=300)
    assert cost.bytes(keep) <= 300
    assert cost.macs(keep) <= 0.7 * cost.macs(np.ones(known.count, bool))


def test_what_is_measured_is_a_budget(known: Dependencies) -> None:
    """On a device on which the second layer alone costs time, in steps of four neurons."""
    second = groups(known)[1].units

    def device(keep: Mask) -> float:
        return 10.0 + 5 * np.ceil(keep[second].sum() / 4)

    able = [group for group in groups(known) if not group.why]
    for values, most in (({"latency": 0.8}, 16), ({"latency_limit": 15.0}, 15)):
        options = RemoveOptions(measure="python:lab:cost", least=0, **values)
        budget = Budget(Cost(known), options, known.count, device)
        keep = choose(able, {}, np.ones(known.count), options, budget)
        assert device(keep) <= most
        assert left(known, keep) == [16, 4]
    options = RemoveOptions(measure="python:lab:cost", latency_limit=5.0)
    budget = Budget(Cost(known), options, known.count, device)
    with pytest.raises(UsageError, match="latency_limit = 5 cannot be reached: 15 stays"):
        choose(able, {}, np.ones(known.count), options, budget)


def test_what_is_worth_nothing_leaves_before_what_costs_most(known: Dependencies) -> None:
    scores = np.ones(known.count)
    second = groups(known)[1].units
    scores[second[:3]] = 0
    keep = chosen(known, scores, macs=0.7)
    assert not keep[second[:3]].any()


def test_a_budget_out_of_reach_is_refused(known: Dependencies) -> None:
    with pytest.raises(UsageError, match=r"macs = 0.1 cannot be reached: 0\.45 of it stays"):
        chosen(known, macs=0.1, least=0.5)


def test_what_stays_in_any_case(known: Dependencies) -> None:
    group = groups(known)[0]
    assert fewest(group, RemoveOptions(least=0)) == 4
    assert fewest(group, RemoveOptions(least=0, multiple=1)) == 1
    assert fewest(group, RemoveOptions(least=0.3, multiple=1)) == 5
    assert fewest(group, RemoveOptions(least=0.3, multiple=4)) == 8
    assert fewest(group, RemoveOptions(multiple=64)) == 16
