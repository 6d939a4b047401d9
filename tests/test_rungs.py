from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgekit.evaluate.budget import Verdict
from edgekit.ladder import Attempt, Change, Judged, Rung
from edgekit.plan import Plan, Step
from edgekit.rungs import (
    Corrections,
    Means,
    MoreSamples,
    OtherRanges,
    Training,
    WeakerCompression,
    ladder,
)
from edgekit.target.op_table import load_op_table

PLAIN = {"estimator": "minmax", "equalise": "auto", "bias_correct": "auto"}
PRUNE = Step("compress", "prune", {"sparsity": 0.8, "initial": 0.7, "per_layer": ()})
CLUSTER = Step("compress", "cluster", {"clusters": 16})
QAT = Step("compress", "quantize_aware", {"fine_tune": {"epochs": 3}})
JUDGED = Judged(Verdict("broken"), None, b"", b"")


def attempt(*passes: Step, scheme: str = "int8", samples: int = 100, **options: Any) -> Attempt:
    quantize = Step("quantize", scheme, PLAIN | options if scheme == "int8" else {})
    return Attempt(Plan("t", (*passes, quantize)), samples)


def changed(rung: Rung, given: Attempt) -> Attempt:
    found = rung.change(given, JUDGED)
    assert isinstance(found, Change), found
    return found.attempt


def test_the_order_is_from_cheap_to_dear() -> None:
    means = Means(load_op_table("litert-2.3"), 500, 400, QAT)
    names = dict.fromkeys(rung.name for rung in ladder(attempt(PRUNE), means))
    assert list(names) == [
        "other ranges",
        "corrections",
        "more bits for the worst layers",
        "more samples",
        "training",
        "weaker compression",
    ]


def test_options_of_the_quantizer_change_and_others_stay() -> None:
    given = attempt(equalise="off", per_channel=False)
    ranged = changed(OtherRanges(), given)
    assert ranged == attempt(equalise="off", per_channel=False, estimator="auto")
    corrected = changed(Corrections(), ranged)
    assert corrected.plan.quantize.options == {
        "estimator": "auto",
        "equalise": "on",
        "bias_correct": "on",
        "per_channel": False,
    }


@pytest.mark.parametrize(
    ("wanted", "available", "found"),
    [(400, 1000, 400), (400, 150, 150), (400, 100, None), (400, 20, None)],
    ids=["enough", "not so many", "all in use", "fewer than asked for"],
)
def test_more_samples_are_taken_where_there_are_any(
    wanted: int, available: int, found: int | None
) -> None:
    change = MoreSamples(wanted, available).change(attempt(), JUDGED)
    assert (change.attempt.samples if isinstance(change, Change) else None) == found


def test_no_training_behind_a_pass_that_it_cannot_follow() -> None:
    found = Training(QAT, 400, 100).change(attempt(Step("compress", "slim", {})), JUDGED)
    assert found == "quantize_aware cannot follow a pass that left it slim"


def test_training_comes_last_and_leaves_ranges_and_corrections_to_it() -> None:
    given = attempt(PRUNE, estimator="auto", equalise="on", bias_correct="on", keep_float=("a",))
    trained = changed(Training(QAT, 200, 100), replace(given, samples=400))
    assert trained == attempt(PRUNE, QAT, keep_float=("a",))


@pytest.mark.parametrize(
    ("times", "sparsity", "clusters"), [(1, 0.6, 32), (2, 0.45, 64), (3, 0.3375, 128)]
)
def test_compression_is_weakened_step_by_step_from_what_was_asked(
    times: int, sparsity: float, clusters: int
) -> None:
    asked = (PRUNE, CLUSTER)
    now = changed(WeakerCompression(asked, 1), attempt(*asked, QAT))
    found = changed(WeakerCompression(asked, times), now)
    prune, cluster, qat = (step.options for step in found.plan.compress)
    assert prune["sparsity"] == pytest.approx(sparsity)
    assert prune["initial"] == pytest.approx(min(0.7, sparsity))  # it cannot begin above the end
    assert cluster["clusters"] == clusters
    assert qat == QAT.options


def test_exceptions_for_layers_are_weakened_too_and_patterns_are_not() -> None:
    per_layer = (("conv*", {"sparsity": 0.4}), ("dense", {"sparsity": 0.5, "n_m": "2:4"}))
    asked = (Step("compress", "prune", {"sparsity": 0.5, "n_m": "", "per_layer": per_layer}),)
    found = changed(WeakerCompression(asked, 1), attempt(*asked))
    options = found.plan.compress[0].options
    assert options["sparsity"] == 0.375
    assert options["per_layer"] == (("conv*", {"sparsity": 0.3}), per_layer[1])


def test_no_more_clusters_than_int8_has_values() -> None:
    asked = (Step("compress", "cluster", {"clusters": 200}),)
    found = changed(WeakerCompression(asked, 3), attempt(*asked))
    assert found.plan.compress[0].options == {"clusters": 256}


def test_the_change_is_told_in_words() -> None:
    change = WeakerCompression((PRUNE, CLUSTER), 1).change(attempt(PRUNE, CLUSTER), JUDGED)
    assert isinstance(change, Change)
    assert change.what == "prune sparsity 0.8 -> 0.6, cluster clusters 16 -> 32"


@pytest.mark.parametrize(
    ("rung", "given", "says"),
    [
        (OtherRanges(), attempt(estimator="auto"), "tried already"),
        (OtherRanges(), attempt(scheme="float16"), "for int8 builds"),
        (OtherRanges(), attempt(QAT), "training has decided"),
        (Corrections(), attempt(equalise="on", bias_correct="on"), "on already"),
        (Corrections(), attempt(QAT), "training has decided"),
        (MoreSamples(400, 1000), attempt(scheme="dynamic"), "nothing is calibrated"),
        (MoreSamples(400, 1000), attempt(QAT), "training has decided"),
        (Training(QAT, 0, 100), attempt(), "give --training"),
        (Training(QAT, 100, 100), attempt(QAT), "there already"),
        (Training(QAT, 100, 100), attempt(scheme="int16x8"), "for int8 builds"),
        (WeakerCompression((), 1), attempt(), "nothing is compressed"),
        (WeakerCompression((QAT,), 1), attempt(QAT), "no pass has"),
    ],
)
def test_what_does_not_apply_says_why(rung: Rung, given: Attempt, says: str) -> None:
    found = rung.change(given, JUDGED)
    assert isinstance(found, str)
    assert says in found
