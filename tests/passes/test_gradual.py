"""Pruning in two steps with training between them."""

from __future__ import annotations

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, POINTWISE

from edgekit.passes import _wrapped as wrapped
from edgekit.passes import base
from edgekit.passes._gradual import gradual, joined

GROUPS = {(CONV, POINTWISE): 0.64, (DENSE,): 0.5}


def begun(epochs: int) -> tuple[base.Candidate, wrapped.Training, dict[str, object]]:
    tflite = compressing.net()
    context = compressing.context(tflite, epochs=epochs, max_minutes=10)
    return gradual(base.Candidate(tflite), GROUPS, wrapped.training(context), context)


def test_a_third_of_the_training_comes_before_the_last_zeros() -> None:
    candidate, left, trained = begun(10)
    assert (trained["epochs"], left.options.epochs) == (3, 7)
    assert left.steps == 7 * 4
    assert left.options.max_minutes == pytest.approx(7)
    kernels = compressing.kernels(candidate.tflite)
    both = np.concatenate([kernels[CONV].ravel(), kernels[POINTWISE].ravel()])
    assert (both == 0).mean() == pytest.approx(0.64, abs=0.01)
    assert (kernels[DENSE] == 0).mean() == 0.5


def test_few_epochs_are_not_parted() -> None:
    candidate, left, trained = begun(3)
    assert trained == {}
    assert left.options.epochs == 3
    assert compressing.zeros(candidate.tflite)[DENSE] == 0.5


def test_the_log_tells_of_both_as_of_one_training() -> None:
    parts = [
        {
            "epochs": 2,
            "best_epoch": 2,
            "stopped": "epochs",
            "loss": [4, 3],
            "guard_loss": [5, 4, 3],
        },
        {
            "epochs": 3,
            "best_epoch": 1,
            "stopped": "patience",
            "loss": [9, 8, 7],
            "guard_loss": [8] * 4,
        },
    ]
    assert joined(*parts) == {
        "epochs": 5,
        "best_epoch": 3,
        "stopped": "patience",
        "loss": [4, 3, 9, 8, 7],
        "guard_loss": [5, 4, 3, 8, 8, 8],
    }


def test_the_whole_pass_runs_all_epochs_and_logs_them() -> None:
    before = base.Candidate(compressing.net())
    pruned = compressing.run({"pass": "prune", "sparsity": 0.5}, before, epochs=5)
    (entry,) = pruned.log
    assert entry.trained["epochs"] == 5
    assert len(entry.trained["loss"]) == 5
    assert entry.options["fine_tune"]["epochs"] == 5
