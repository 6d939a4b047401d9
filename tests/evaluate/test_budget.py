from __future__ import annotations

import pytest

from edgekit.errors import DataError, UsageError
from edgekit.evaluate.accuracy import Accuracy
from edgekit.evaluate.budget import MOST, Budget, Verdict, verdict
from edgekit.evaluate.fidelity import Fidelity
from edgekit.evaluate.intervals import paired_proportions, samples_to_decide, wilson


def counted(both: int, lost: int, won: int, neither: int = 0) -> Accuracy:
    """Top-1 of two models on the same rows, of which they get so many right."""
    samples = both + lost + won + neither
    low, high = paired_proportions(both, lost, won, neither)
    left, right = 100 * (both + lost) / samples, 100 * (both + won) / samples
    interval = (100 * low, 100 * high)
    return Accuracy("top1", samples, left, right, left - right, interval, (lost, won))


def compared(agreement: float | None = 100.0, sqnr: float = 40.0, samples: int = 200) -> Fidelity:
    return Fidelity(samples, agreement, sqnr, (0, sqnr), (), "litert")


MORE = Budget(accuracy_drop=1.0)


@pytest.mark.parametrize(
    ("accuracy", "state"),
    [
        pytest.param(counted(9500, 30, 30, 440), "kept", id="no drop, narrow interval"),
        pytest.param(counted(190, 1, 1, 8), "unproven", id="no drop, few rows"),
        pytest.param(counted(960, 20, 10, 10), "unproven", id="estimate at the limit"),
        pytest.param(counted(960, 22, 11, 7), "broken", id="estimate above the limit"),
        pytest.param(counted(9000, 10, 300, 690), "kept", id="better than before"),
    ],
)
def test_the_estimate_breaks_and_the_interval_only_leaves_unproven(
    accuracy: Accuracy, state: str
) -> None:
    assert verdict(MORE, accuracy, None).state == state


def test_strict_refuses_what_is_not_proven_and_the_limit_still_says_why() -> None:
    found = verdict(MORE, counted(190, 1, 1, 8), None, strict=True)
    assert (found.state, found.limits[0].state) == ("broken", "unproven")
    assert verdict(MORE, counted(9500, 30, 30, 440), None, strict=True).state == "kept"


def test_the_number_of_samples_that_would_decide_does_decide() -> None:
    """The same shares in that many rows are proven, in a tenth less they are not."""
    accuracy = counted(186, 2, 2, 10)
    (limit,) = verdict(MORE, accuracy, None).limits
    assert limit.deciding is not None

    def scaled(samples: float) -> float:
        times = samples / accuracy.samples
        return 100 * paired_proportions(*(times * count for count in (186, 2, 2, 10)))[1]

    assert scaled(limit.deciding) <= 1.0 < scaled(0.9 * limit.deciding)
    assert f"about {limit.deciding:,} would decide" in limit.text


def test_where_the_estimate_is_the_limit_no_number_decides() -> None:
    (limit,) = verdict(MORE, counted(960, 20, 10, 10), None).limits
    assert limit.deciding is None
    assert "no number would decide: the estimate is the limit itself" in limit.text


def test_a_hair_below_the_limit_it_is_only_said_that_it_takes_many() -> None:
    (limit,) = verdict(Budget(accuracy_drop=1.001), counted(960, 20, 10, 10), None).limits
    assert limit.deciding == MOST + 1
    assert "more than 1,000,000 would decide" in limit.text


def test_other_metrics_narrow_with_the_square_root_of_the_samples() -> None:
    accuracy = Accuracy("auc", 100, 90.0, 89.5, 0.5, (-0.5, 1.5))
    (limit,) = verdict(MORE, accuracy, None).limits
    assert (limit.state, limit.deciding) == ("unproven", 400)  # half the width takes 4 times


@pytest.mark.parametrize(
    ("agreement", "state"),
    [
        pytest.param(100.0, "kept", id="all agree"),
        pytest.param(98.5, "unproven", id="three of 200 differ"),
        pytest.param(97.0, "unproven", id="estimate at the limit"),
        pytest.param(96.5, "broken", id="below"),
    ],
)
def test_agreement_is_a_share_of_the_rows(agreement: float, state: str) -> None:
    (limit,) = verdict(Budget(agreement=97.0), None, compared(agreement)).limits
    assert limit.state == state
    low, high = wilson(2 * agreement, 200)
    assert limit.interval == pytest.approx((100 * low, 100 * high))


@pytest.mark.parametrize(("sqnr", "state"), [(20.0, "kept"), (19.99, "broken")])
def test_sqnr_is_held_to_its_estimate(sqnr: float, state: str) -> None:
    (limit,) = verdict(Budget(sqnr=20.0), None, compared(sqnr=sqnr)).limits
    assert (limit.state, limit.interval) == (state, None)


def test_the_worst_limit_decides() -> None:
    budget = Budget(accuracy_drop=1.0, agreement=97.0, sqnr=20.0)
    found = verdict(budget, counted(190, 1, 1, 8), compared(sqnr=10.0))
    assert [limit.state for limit in found.limits] == ["unproven", "kept", "broken"]
    assert found.state == "broken"
    assert "agreement" not in found.text
    assert found.rank == (2, 10.0)


def test_no_budget_is_kept_by_everything() -> None:
    assert not Budget()
    assert verdict(Budget(), None, None) == Verdict("kept", ())


def test_what_is_not_proven_is_a_warning_with_advice() -> None:
    (problem,) = verdict(MORE, counted(190, 1, 1, 8), None).problems()
    assert (problem.severity, problem.where) == ("warning", "budget")
    assert "would decide" in problem.message
    assert verdict(MORE, counted(9500, 30, 30, 440), None).problems() == ()


def test_the_line_for_people() -> None:
    (limit,) = verdict(MORE, counted(960, 22, 11, 7), None).limits
    assert limit.text == (
        "accuracy drop 1.10 points, at most 1 asked: broken "
        "(95 % interval -0.06 to 2.33, 1,000 samples)"
    )


@pytest.mark.parametrize(
    ("budget", "fidelity", "kind", "says"),
    [
        (Budget(accuracy_drop=1.0), compared(), UsageError, "--max-drop needs labels"),
        (Budget(agreement=99.0), compared(None), UsageError, "needs classes"),
        (Budget(agreement=99.0), None, DataError, "needs rows to compare"),
        (Budget(sqnr=20.0), None, DataError, "needs rows to compare"),
    ],
    ids=["no labels", "no classes", "no rows for agreement", "no rows for sqnr"],
)
def test_a_limit_without_data_is_refused(
    budget: Budget, fidelity: Fidelity | None, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says) as caught:
        verdict(budget, None, fidelity)
    assert caught.value.hint


@pytest.mark.parametrize(("needed", "said"), [(250, 250), (257, 260), (1_234, 1_300)])
def test_the_number_is_rounded_up_to_two_digits(needed: int, said: int) -> None:
    assert samples_to_decide(lambda times: 100 * times >= needed, 100, MOST) == said
