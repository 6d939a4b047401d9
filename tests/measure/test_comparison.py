"""Comparisons: only of what is comparable, and a regression only where there is no doubt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgekit.errors import UsageError
from edgekit.measure.comparison import compare, ratio_interval, refuse_other, scopes_apart

RUN: dict[str, Any] = {
    "validity": "valid",
    "codes": [],
    "model_sha256": "ab",
    "kind": "linux",
    "settings": {"threads": 1},
    "latency": {"median_ms": 10.0},
    "energy": None,
    "emulated": None,
}


def windows(median: float, spread: float = 0.005, count: int = 5) -> list[NDArray[np.float64]]:
    draw = np.random.default_rng(int(median * 1000))
    return [
        median * (1 + spread * draw.standard_normal()) * (1 + 0.01 * draw.standard_normal(100))
        for _ in range(count)
    ]


def energy(gross: float, uncertainty: float, scope: str = "board") -> dict[str, Any]:
    return {**RUN, "energy": {"gross_mj": gross, "uncertainty_mj": uncertainty, "scope": scope}}


OTHER = {
    "model": ({"model_sha256": "cd"}, "two different models", "--other-model"),
    "kind": ({"kind": "android"}, "another kind of device: linux and android", "one kind"),
    "settings": ({"settings": {"threads": 4}}, "other settings of the run", "--threads"),
    "invalid": ({"validity": "invalid", "codes": ["clock_jump"]}, "invalid .clock_jump", "valid"),
}


@pytest.mark.parametrize(("change", "message", "hint"), OTHER.values(), ids=OTHER.keys())
def test_what_is_not_comparable_is_refused(change: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        refuse_other(RUN, {**RUN, **change})
    assert hint in caught.value.hint


def test_other_models_may_be_compared_when_asked() -> None:
    refuse_other(RUN, {**RUN, "model_sha256": "cd"}, models=True)
    refuse_other(RUN, RUN)


@pytest.mark.parametrize(
    ("after", "worse"), [(10.0, False), (10.2, False), (11.0, True), (5.0, False)]
)
def test_regression_of_the_latency(after: float, worse: bool) -> None:
    second = {**RUN, "latency": {"median_ms": after}}
    (change,) = compare(RUN, second, (windows(10.0), windows(after)))
    assert change.ratio == pytest.approx(after / 10)
    assert change.regression is worse
    assert change.low is not None
    assert change.high is not None
    assert change.low <= change.ratio * 1.01
    assert change.high >= change.ratio * 0.99


def test_noise_is_no_regression() -> None:
    """10 % slower, but windows of one run differ by 20 %."""
    second = {**RUN, "latency": {"median_ms": 11.0}}
    (change,) = compare(RUN, second, (windows(10.0, 0.2), windows(11.0, 0.2)))
    assert change.ratio > 1.03
    assert not change.regression


def test_without_samples_the_ratio_alone_decides() -> None:
    (change,) = compare(RUN, {**RUN, "latency": {"median_ms": 10.4}})
    assert (change.low, change.regression) == (None, True)


def test_without_samples_the_medians_of_the_windows_stand_for_them() -> None:
    """The second is 4 % slower by its median, but its windows say nothing so clear."""
    steady = {**RUN, "latency": {"median_ms": 10.0, "windows_ms": [10.0, 10.1, 9.9, 10.0, 10.0]}}
    noisy = {**RUN, "latency": {"median_ms": 10.4, "windows_ms": [9.0, 10.4, 12.0, 9.5, 11.0]}}
    slow = {**RUN, "latency": {"median_ms": 12.0, "windows_ms": [12.0, 12.1, 11.9, 12.0, 12.0]}}
    assert not compare(steady, noisy)[0].regression
    (change,) = compare(steady, slow)
    assert change.low is not None
    assert (change.regression, change.low > 1.1) == (True, True)


def test_interval_of_a_ratio_is_that_of_both() -> None:
    low, high = ratio_interval(windows(10.0), windows(12.0))
    assert low < 1.2 < high
    assert high - low < 0.1


def test_energy_counts_its_uncertainty() -> None:
    changes = compare(energy(10, 0.1), energy(10.5, 0.1))
    assert [(c.figure, c.regression) for c in changes] == [
        ("latency_ms", False),
        ("energy_mj", True),
    ]
    assert not compare(energy(10, 1), energy(10.5, 1))[1].regression


def test_energy_of_another_scope_is_left_out() -> None:
    assert len(compare(energy(10, 0.1), energy(20, 0.1, "package"))) == 1


def test_energy_of_nothing_has_no_ratio() -> None:
    assert len(compare(energy(0, 0), energy(10, 0.1))) == 1
    assert len(compare(energy(10, 0.1), energy(0, 0))) == 1


def test_what_is_left_out_is_told() -> None:
    board, package = energy(10, 0.1), energy(20, 0.1, "package")
    assert scopes_apart(board, package) == (
        "energy is left out: one is of the board, the other of the package"
    )
    assert scopes_apart(board, board) == scopes_apart(board, RUN) == ""


def test_counts_are_exact() -> None:
    counts = {"instructions": 1000, "flash_bytes": 100, "ram_bytes": 0, "stack_bytes": None}
    first = {**RUN, "latency": None, "emulated": counts}
    second = {**first, "emulated": {**counts, "instructions": 1031}}
    changes = compare(first, second)
    assert [(c.figure, c.ratio, c.low, c.regression) for c in changes] == [
        ("instructions", 1.031, None, True),
        ("flash_bytes", 1.0, None, False),
    ]
    assert not compare(first, second, allowed=0.04)[0].regression
