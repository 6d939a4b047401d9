"""LAMP: one share of zeros for the model, parted among its layers."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.passes._allocate import gone, lamp, sigmas


def test_by_hand() -> None:
    # scores: a: 1/14, 4/13, 9/9; b: 1/1 (its largest is always 1)
    kernels = {"a": np.array([1.0, -2.0, 3.0]), "b": np.array([100.0])}
    assert lamp(kernels, 0.5) == {"a": pytest.approx(2 / 3), "b": 0.0}


def test_the_model_reaches_its_share_and_no_layer_is_emptied() -> None:
    random = np.random.default_rng(0)
    kernels = {f"l{n}": random.standard_normal((n * 9, n * 4)) * n for n in range(1, 6)}
    sizes = {name: kernel.size for name, kernel in kernels.items()}
    shares = lamp(kernels, 0.8)
    gone = sum(shares[name] * size for name, size in sizes.items())
    assert round(gone) == round(0.8 * sum(sizes.values()))
    assert all(share < 1 for share in shares.values())
    assert shares["l1"] < shares["l5"]


def test_zeros_go_first() -> None:
    kernels = {"a": np.array([0.0, 0.0, 1.0, 1.0]), "b": np.ones(4)}
    assert lamp(kernels, 0.25) == {"a": 0.5, "b": 0.0}


def test_one_sigma_for_all_by_hand() -> None:
    # over their deviations: a: 0.5, 0.5, 1.5, 1.5 (of 2); b: 0.5, 0.5, 1.5, 1.5 (of 20)
    kernels = {"a": np.array([1.0, -1.0, 3.0, -3.0]), "b": np.array([10.0, -10.0, 30.0, -30.0])}
    assert sigmas(kernels, 0.5) == {"a": 0.5, "b": 0.5}
    kernels["b"] = np.array([10.0, -40.0, 30.0, -30.0])
    assert sigmas(kernels, 0.25) == {"a": 0.25, "b": 0.25}


def test_a_share_is_of_what_weights_cost() -> None:
    """Half of 4 + 4 * 9 is 20: the weights that cost 9 go first where they are as cheap to lose."""
    kernels = {"cheap": np.arange(1.0, 5.0), "dear": np.arange(1.0, 5.0)}
    shares = lamp(kernels, 0.5, {"cheap": 1.0, "dear": 9.0})
    assert shares == {"cheap": 0.25, "dear": 0.5}
    assert lamp(kernels, 0.5) == {"cheap": 0.5, "dear": 0.5}


def test_the_lowest_go_and_the_highest_of_each_layer_stays() -> None:
    parts = gone([np.array([5.0, 1.0, 2.0]), np.array([0.1])], [1.0, 1.0], 0.9)
    assert [part.tolist() for part in parts] == [[False, True, True], [False]]
