from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hand_made import dense_int8

from edgekit.errors import BudgetError, ModelError, TargetError
from edgekit.evaluate.budget import Budget, verdict
from edgekit.evaluate.fidelity import Fidelity
from edgekit.evaluate.layers import Layer
from edgekit.ladder import Attempt, Change, Judged, climb
from edgekit.plan import Plan, Step
from edgekit.progress import Progress

TFLITE = dense_int8([np.eye(2)], [1.0, 1.0])
START = Attempt(Plan("t", (Step("import", "keras"), Step("quantize", "int8", {"gain": 0}))), 10)
BAD = Layer(0, "FULLY_CONNECTED", "y0", (1, 2), 5.0, 5.0, "range", "too wide")


@dataclass(frozen=True)
class Adds:
    """A rung that adds to the option `gain`."""

    gain: float
    name: str = "gain"

    def change(self, attempt: Attempt, judged: Judged) -> Change | str:
        if not self.gain:
            return "there is nothing to gain"
        total = attempt.plan.quantize.options["gain"] + self.gain
        return Change(attempt.quantizing(gain=total), f"{self.gain:+g} dB")


def builder(base: float = 10.0, asked: float = 20.0, refuse: float = 999) -> Callable:
    """Builds whose SQNR is `base` + `gain`; none of a gain above `refuse`."""

    def build(attempt: Attempt) -> Judged:
        gain = attempt.plan.quantize.options["gain"]
        if gain > refuse:
            raise TargetError("it does not fit", "take less")
        fidelity = Fidelity(50, None, base + gain, (0, 0.0), (BAD,), "litert")
        result = verdict(Budget(sqnr=asked), None, fidelity)
        return Judged(result, fidelity, TFLITE, TFLITE, result=gain)

    return build


def test_a_budget_that_is_kept_needs_no_rung() -> None:
    found = climb(START, [Adds(5)], builder(base=25.0))
    assert (found.rungs, found.attempt, found.judged.result) == ((), START, 0)
    assert found.problems == ()


def test_what_helps_is_kept_and_the_climb_ends_with_the_first_that_suffices() -> None:
    found = climb(START, [Adds(4), Adds(6), Adds(50)], builder())
    assert [rung.outcome for rung in found.rungs] == ["kept", "kept"]
    assert found.attempt.plan.quantize.options == {"gain": 10}
    assert (found.start.state, found.judged.verdict.state) == ("broken", "kept")


def test_what_does_not_help_is_dropped_before_the_next_is_tried() -> None:
    found = climb(START, [Adds(-3), Adds(0.1), Adds(10)], builder())
    assert [rung.outcome for rung in found.rungs] == ["dropped", "dropped", "kept"]
    assert found.judged.result == 10


def test_what_does_not_apply_says_why_and_the_same_is_not_built_twice() -> None:
    found = climb(START, [Adds(0), Adds(-1), Adds(-1)], builder())
    assert [rung.reason for rung in found.rungs] == [
        "there is nothing to gain",
        "",
        "-1 dB was tried already",
    ]


def test_a_rung_that_cannot_be_built_is_reported_and_passed_over() -> None:
    found = climb(START, [Adds(8), Adds(5), Adds(3)], builder(refuse=12))
    assert [rung.outcome for rung in found.rungs] == ["kept", "failed", "kept"]
    assert found.rungs[1].reason == "it does not fit"
    assert found.judged.result == 11


def test_a_start_that_cannot_be_built_is_no_matter_for_the_ladder() -> None:
    with pytest.raises(TargetError, match="does not fit"):
        climb(START, [Adds(5)], builder(refuse=-1))


def test_what_is_still_broken_is_refused_with_the_layers_to_blame() -> None:
    found = climb(START, [Adds(4), Adds(-1)], builder())
    with pytest.raises(BudgetError) as caught:
        found.refuse()
    assert caught.value.exit_code == 3
    assert caught.value.message == (
        "the budget is broken after trying gain: SQNR 14.00 dB, at least 20 asked: broken "
        "(50 samples); first to blame: FULLY_CONNECTED y0 (range: too wide)"
    )
    assert "allow more" in caught.value.hint


def test_without_rungs_it_is_refused_at_once_and_the_hint_names_the_option() -> None:
    found = climb(START, (), builder())
    with pytest.raises(BudgetError, match="the budget is broken: SQNR 10") as caught:
        found.refuse(climbed=False)
    assert "without --no-ladder" in caught.value.hint


def test_each_rung_is_told_in_a_line_in_json_and_as_progress() -> None:
    class Told(Progress):
        said: list[str] = []  # noqa: RUF012

        def step(self, what: str) -> None:
            self.said.append(what)

    found = climb(START, [Adds(0), Adds(4), Adds(8)], builder(refuse=10), Told())
    assert Told.said == ["the budget is broken; gain: +4 dB", "the budget is broken; gain: +8 dB"]
    assert found.lines == (
        "SQNR 10.00 dB, at least 20 asked: broken (50 samples)",
        "gain: not applicable, there is nothing to gain",
        "gain (+4 dB): kept; SQNR 14.00 dB: broken",
        "gain (+8 dB): failed, it does not fit",
    )
    stored = found.to_json()
    assert stored["start"]["state"] == stored["end"]["state"] == "broken"
    assert [rung["outcome"] for rung in stored["rungs"]] == ["not applicable", "kept", "failed"]
    assert stored["rungs"][1]["verdict"]["limits"][0]["measured"] == 14.0
    assert stored["rungs"][2]["verdict"] is None


def test_what_applies_nowhere_is_told_once() -> None:
    found = climb(START, [Adds(0), Adds(0), Adds(12)], builder())
    assert len(found.rungs) == 3
    assert found.lines[1:] == (
        "gain: not applicable, there is nothing to gain",
        "gain (+12 dB): kept; SQNR 22.00 dB: kept",
    )


def test_a_strict_budget_that_lacks_samples_blames_no_layer() -> None:
    def build(attempt: Attempt) -> Judged:
        fidelity = Fidelity(50, 100.0, 40.0, (0, 0.0), (BAD,), "litert")
        result = verdict(Budget(agreement=99.0), None, fidelity, strict=True)
        return Judged(result, fidelity, TFLITE, TFLITE)

    with pytest.raises(BudgetError, match=r"^the budget is not proven: top-1") as caught:
        climb(START, (), build).refuse(climbed=False)
    assert "blame" not in caught.value.message
    assert caught.value.hint.startswith("give more evaluation samples")


def test_a_mended_build_says_that_it_is_not_what_was_asked_for() -> None:
    (problem,) = climb(START, [Adds(-1), Adds(12)], builder()).problems
    assert problem.severity == "note"
    assert problem.message.endswith("to keep the budget: gain, +12 dB")


def test_an_error_that_is_not_about_the_rung_alone_is_caught_by_name_only() -> None:
    def build(attempt: Attempt) -> Judged:
        if attempt != START:
            raise ModelError("lift: no such op", "none")
        return builder()(attempt)

    (rung,) = climb(START, [Adds(1)], build).rungs
    assert rung.line == "gain (+1 dB): failed, lift: no such op"


def test_passes_are_put_before_the_quantizer() -> None:
    passes = (Step("compress", "prune"), Step("compress", "cluster"))
    changed = START.compressing(passes)
    assert [step.name for step in changed.plan.steps] == ["keras", "prune", "cluster", "int8"]
    assert changed.compressing(()).plan == START.plan
