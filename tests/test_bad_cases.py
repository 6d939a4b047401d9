"""Plain post-training quantization breaks the budget, and the expected rung mends it."""

from __future__ import annotations

import pytest
from bad_cases import Case, outlier_layer, wide_tail, wild_channels

from edgekit.errors import BudgetError
from edgekit.evaluate.budget import Budget
from edgekit.graph.read import read
from edgekit.ladder import Climb


def by_rung(climb: Climb) -> list[tuple[str, str]]:
    """Name and outcome of each rung that was built."""
    return [(rung.rung, rung.outcome) for rung in climb.rungs if rung.verdict is not None]


def sqnr(climb: Climb) -> tuple[float, float]:
    """Before and after, in dB."""
    ends = (climb.start, climb.judged.verdict)
    before, after = (
        next(limit.measured for limit in end.limits if limit.name == "sqnr") for end in ends
    )
    return before, after


@pytest.mark.parametrize(
    ("table", "runtime"),
    [
        pytest.param("tflite-micro-2026.10", "tflite-micro", id="microcontroller"),
        pytest.param("litert-2.3", "litert", id="linux", marks=pytest.mark.slow),
    ],
)
def test_an_outlier_layer_is_mended_by_16x8(table: str, runtime: str) -> None:
    budget = Budget(accuracy_drop=4.0, sqnr=30.0)
    climb = outlier_layer().climb(budget, table=table, runtime=runtime)
    assert climb.start.state == "broken"
    assert climb.start.limits[0].measured > 20  # points lost
    assert by_rung(climb)[-1] == ("more bits for the worst layers", "kept")
    assert climb.attempt.plan.quantize.options["keep_int16"] == ("y0",)
    assert climb.judged.verdict.state != "broken"
    assert climb.judged.verdict.limits[0].measured <= 4.0
    before, after = sqnr(climb)
    assert before < 5 < 30 < after


def test_ten_samples_of_a_wide_tail_are_mended_by_more_samples() -> None:
    climb = wide_tail().climb(Budget(accuracy_drop=4.0, sqnr=20.0), samples=10)
    assert [limit.state for limit in climb.start.limits] == ["broken", "broken"]
    assert by_rung(climb)[-1] == ("more samples", "kept")
    assert climb.attempt.samples == 40
    assert "keep_int16" not in climb.attempt.plan.quantize.options  # bits are not what it lacks
    before, after = sqnr(climb)
    assert before < 10 < 20 < after


def test_wild_channels_are_mended_by_equalisation() -> None:
    """Where the user had switched it off: by default it is on where it helps."""
    budget, off = Budget(agreement=90.0, sqnr=20.0), {"equalise": "off", "bias_correct": "off"}
    climb = wild_channels().climb(budget, **off)
    assert climb.start.state == "broken"
    assert by_rung(climb)[-1] == ("corrections", "kept")
    assert climb.judged.result.effects["equalise"]["applied"]
    before, after = sqnr(climb)
    assert before < 10 < 20 < after


def test_wild_channels_break_nothing_under_the_defaults() -> None:
    climb = wild_channels().climb(Budget(agreement=90.0, sqnr=20.0))
    assert (climb.start.state != "broken", climb.rungs) == (True, ())


def test_what_no_rung_mends_is_refused_with_the_layers_to_blame() -> None:
    """Ten samples, and no more: neither ranges nor bits are known."""
    case = wide_tail()
    few = Case(case.tflite, case.calibration[:10], case.held)
    climb = few.climb(Budget(sqnr=20.0), samples=10)
    with pytest.raises(BudgetError) as caught:
        climb.refuse()
    assert "first to blame: " in caught.value.message
    reasons = [rung.reason for rung in climb.rungs if rung.outcome == "not applicable"]
    assert "the data hold no more than 10" in reasons
    assert "there are no rows to train on: give --training, or more --calibration" in reasons
    assert read(climb.judged.built).input_tensors()[0].dtype == "int8"
