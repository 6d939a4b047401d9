"""Fine-tuning alone: it recovers, and keeps what was promised before."""

from __future__ import annotations

from typing import Any

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE

from edgekit.errors import UsageError
from edgekit.passes import base


@pytest.fixture(scope="module")
def both() -> base.Candidate:
    """Pruned and clustered, and so quickly that there is something to recover."""
    before = base.Candidate(compressing.net())
    short = {"epochs": 1, "learning_rate": 1e-6}
    half = compressing.run(
        {"pass": "prune", "layers": [CONV, POINTWISE], "allocate": "uniform"}, before, **short
    )
    return compressing.run({"pass": "cluster", "layers": [POINTWISE, DENSE]}, half, **short)


@pytest.fixture(scope="module")
def tuned(both: base.Candidate) -> base.Candidate:
    return distill(both)


def distill(before: base.Candidate) -> base.Candidate:
    options, tuning = base.from_mapping("distill", {"epochs": 4}, "--compress")
    shared = compressing.context(compressing.net()).tuned(tuning)
    return base.load("distill").run(before, options, shared)


def test_the_loss_falls_and_the_weights_change(both: Any, tuned: base.Candidate) -> None:
    losses = tuned.log[-1].trained["guard_loss"]
    assert min(losses) < 0.9 * losses[0]
    before, after = compressing.kernels(both.tflite), compressing.kernels(tuned.tflite)
    assert all((before[name] != after[name]).any() for name in (CONV, DEPTHWISE, DENSE))


def test_zeros_stay_zeros(both: Any, tuned: base.Candidate) -> None:
    before, after = compressing.kernels(both.tflite), compressing.kernels(tuned.tflite)
    for name in (CONV, POINTWISE):
        np.testing.assert_array_equal(after[name] == 0, before[name] == 0)


def test_code_books_stay_and_their_scales_follow(both: Any, tuned: base.Candidate) -> None:
    for name in (POINTWISE, DENSE):
        before, after = compressing.codes(both, name), compressing.codes(tuned, name)
        np.testing.assert_allclose(after, before, atol=1e-2)
        assert len(np.unique(np.round(after))) <= 16
    assert any(
        (tuned.weight_scales[index] != scale).any() for index, scale in both.weight_scales.items()
    )


def test_promises_traits_and_log_are_handed_on(both: Any, tuned: base.Candidate) -> None:
    assert tuned.promises == both.promises
    assert tuned.traits == both.traits == {"sparse", "clustered"}
    assert [entry.name for entry in tuned.log] == ["prune", "cluster", "distill"]


def test_it_does_not_follow_learned_ranges() -> None:
    before = base.Candidate(compressing.net(), traits=frozenset({"qat"}))
    with pytest.raises(UsageError, match="distill cannot follow a pass that left it qat"):
        distill(before)
