"""Two kernels for one: exact where that can be, and the best there is where it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.passes._factors import Factoring, Kernel, damped, splits, windows


def moments(size: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    given = random.normal(size=(4 * size, size)) @ random.normal(size=(size, size))
    return damped(given.T @ given / len(given))


def kernel(height: int, width: int, inputs: int, outputs: int, rank: int, split: str) -> Kernel:
    """One that a split of this rank holds exactly."""
    random = np.random.default_rng(1)
    first, second = windows((height, width), split)  # type: ignore[arg-type]
    whole = np.einsum(
        "hwir,abro->hawbio",
        random.normal(size=(*first, inputs, rank)),
        random.normal(size=(*second, rank, outputs)),
    ).reshape(height, width, inputs, outputs)
    size = height * width * inputs
    return Kernel(whole, moments(size), random.uniform(0.1, 2, outputs))


@pytest.mark.parametrize("split", ["channel", "spatial", "input"])
def test_a_kernel_of_low_rank_is_found(split: str) -> None:
    given = kernel(3, 3, 5, 7, 2, split)
    factoring = Factoring(given, split)  # type: ignore[arg-type]
    factors = factoring.at(2)
    np.testing.assert_allclose(factors.product, given.matrix, rtol=1e-4, atol=1e-4)
    again = np.einsum("hwir,abro->hawbio", factors.first, factors.second)
    np.testing.assert_allclose(again.reshape(given.matrix.shape), factors.product, atol=1e-9)
    one, two = factoring.lost([1, 2])
    assert one > 1e-3 * given.energy
    assert two < 1e-6 * given.energy


def test_a_matrix_gets_the_best_approximation() -> None:
    """Eckart and Young 1936, in the norm that inputs and outputs give."""
    random = np.random.default_rng(2)
    given = Kernel(random.normal(size=(1, 1, 12, 9)), moments(12, 3), random.uniform(0.1, 5, 9))
    root = np.linalg.cholesky(given.moments)
    weighed = root.T @ given.matrix * np.sqrt(given.felt)
    tail = np.linalg.svd(weighed, compute_uv=False)[4:]
    factoring = Factoring(given, "channel")
    assert factoring.lost([4])[0] == pytest.approx(np.square(tail).sum())
    assert given.error(factoring.at(4).product) == pytest.approx(np.square(tail).sum(), rel=1e-3)
    assert factoring.lost([factoring.most])[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("split", ["channel", "spatial", "input"])
def test_the_loss_that_is_told_is_the_loss(split: str) -> None:
    random = np.random.default_rng(4)
    given = Kernel(random.normal(size=(3, 3, 4, 6)), moments(36, 5), np.ones(6))
    factoring = Factoring(given, split)  # type: ignore[arg-type]
    told = factoring.lost([1, 2, 3])
    assert told == sorted(told, reverse=True)
    for rank, lost in zip((1, 2, 3), told, strict=True):
        assert given.error(factoring.at(rank).product) == pytest.approx(lost, rel=1e-2)


def test_the_second_is_solved_for_exactly() -> None:
    """Any other second kernel behind the same first does worse."""
    random = np.random.default_rng(6)
    given = Kernel(random.normal(size=(3, 3, 4, 6)), moments(36, 7), np.ones(6))
    factors = Factoring(given, "spatial").at(2)
    best = given.error(factors.product)
    for _ in range(5):
        other = factors.second + 0.01 * random.normal(size=factors.second.shape)
        product = np.einsum("hwir,abro->hawbio", factors.first, other).reshape(36, 6)
        assert given.error(product) > best


def test_channels_between_have_variance_one_and_do_not_go_together() -> None:
    random = np.random.default_rng(8)
    given = Kernel(random.normal(size=(1, 1, 10, 8)), moments(10, 9), np.ones(8))
    first = Factoring(given, "channel").at(3).first[0, 0]
    np.testing.assert_allclose(first.T @ given.moments @ first, np.eye(3), atol=1e-8)


def test_splits_that_differ() -> None:
    assert splits((1, 1)) == ("channel",)
    assert splits((1, 5)) == ("channel", "input")
    assert splits((3, 3)) == ("channel", "spatial", "input")


def test_inputs_that_never_move_leave_it_to_the_weights() -> None:
    random = np.random.default_rng(10)
    given = Kernel(random.normal(size=(1, 1, 6, 5)), damped(np.zeros((6, 6))), np.ones(5))
    plain = np.linalg.svd(given.matrix, compute_uv=False)
    assert Factoring(given, "channel").lost([2])[0] == pytest.approx(np.square(plain[2:]).sum())


def test_moments_that_rounding_made_negative_are_made_positive() -> None:
    spoilt = np.diag([0.02, 1e-3, -7e-6])
    found = damped(spoilt)
    assert np.linalg.eigvalsh(found)[0] > 0
    np.testing.assert_allclose(found, spoilt, atol=1e-3)
