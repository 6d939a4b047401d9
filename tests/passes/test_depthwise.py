"""A kernel as a depthwise one and one of 1 x 1: what is lost, and that it is the least."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.passes import _depthwise
from edgekit.passes._depthwise import separated
from edgekit.passes._factors import Kernel

RANDOM = np.random.default_rng(0)


def kernel(values: np.ndarray, weighed: bool = True) -> Kernel:
    """With moments of channels that go together, and outputs that are felt by different shares."""
    patch = values[..., 0].size
    mixed = RANDOM.normal(size=(patch, patch)) / np.sqrt(patch) + np.eye(patch)
    moments = mixed @ mixed.T if weighed else np.eye(patch)
    felt = RANDOM.uniform(0.2, 3, values.shape[-1])
    return Kernel(values, moments, felt if weighed else np.ones_like(felt))


@pytest.mark.parametrize("multiplier", [1, 2])
def test_a_separable_kernel_loses_nothing(multiplier: int) -> None:
    own = RANDOM.normal(size=(3, 3, 5, multiplier))
    points = RANDOM.normal(size=(5, multiplier, 7))
    given = kernel(np.einsum("hwim,imo->hwio", own, points))
    found = separated(given, multiplier)
    assert given.error(found.product) < 1e-9 * given.energy
    assert found.first.shape == (3, 3, 5, 5 * multiplier)
    assert found.second.shape == (1, 1, 5 * multiplier, 7)


@pytest.mark.parametrize("multiplier", [1, 3])
def test_each_channel_sees_its_own_input_alone(multiplier: int) -> None:
    first = separated(kernel(RANDOM.normal(size=(3, 3, 4, 6))), multiplier).first
    for channel in range(4 * multiplier):
        others = np.delete(first[..., channel], channel // multiplier, axis=2)
        assert not others.any()
        assert first[:, :, channel // multiplier, channel].any()


def test_channels_have_unit_variance() -> None:
    given = kernel(RANDOM.normal(size=(3, 3, 4, 6)))
    first = separated(given, 1).first.reshape(36, 4)
    np.testing.assert_allclose(np.diag(first.T @ given.moments @ first), 1.0)


def test_without_weights_it_is_the_singular_value_decomposition_of_each_channel() -> None:
    given = kernel(RANDOM.normal(size=(3, 3, 4, 6)), weighed=False)
    tails = [np.linalg.svd(given.values[:, :, i].reshape(9, 6))[1][2:] ** 2 for i in range(4)]
    lost = given.error(separated(given, 2).product)
    assert lost == pytest.approx(float(np.sum(tails)))


def test_solving_in_turn_loses_less_than_channels_for_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = kernel(RANDOM.normal(size=(3, 3, 6, 8)))
    best = given.error(separated(given, 1).product)
    monkeypatch.setattr(_depthwise, "_LARGEST", 0)
    alone = given.error(separated(given, 1).product)
    assert best < 0.98 * alone
    found = separated(given, 1)
    for _ in range(20):  # no 1 x 1 kernel near by does better
        moved = found.second[0, 0] + 1e-3 * RANDOM.normal(size=(6, 8))
        assert given.error(found.first.reshape(54, 6) @ moved) > alone


def test_the_depthwise_kernel_is_where_its_error_has_no_slope() -> None:
    given = kernel(RANDOM.normal(size=(3, 3, 4, 6)))
    own, second = RANDOM.normal(size=(9, 4, 2)), RANDOM.normal(size=(8, 6))
    solved = _depthwise._first(given, own, second)
    least = given.error(_depthwise._dense(solved) @ second)
    for _ in range(50):
        moved = solved + 1e-3 * RANDOM.normal(size=solved.shape)
        assert given.error(_depthwise._dense(moved) @ second) > least


def test_more_channels_lose_less() -> None:
    given = kernel(RANDOM.normal(size=(3, 3, 4, 12)))
    lost = [given.error(separated(given, multiplier).product) for multiplier in (1, 2, 4, 9)]
    assert sorted(lost, reverse=True) == lost
    assert lost[-1] < 1e-6 * given.energy


def test_a_channel_that_is_not_used_does_no_harm() -> None:
    values = RANDOM.normal(size=(3, 3, 4, 6))
    values[:, :, 2] = 0
    found = separated(kernel(values), 1)
    assert np.isfinite(found.product).all()
