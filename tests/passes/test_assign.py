"""Values of a code book that do best together."""

from __future__ import annotations

import numpy as np

from edgekit.passes._assign import assign

CODES = np.array([-1.0, 0.0, 1.0])


def codes(outputs: int) -> np.ndarray:
    return np.broadcast_to(CODES, (outputs, 3))


def lost(x: np.ndarray, wanted: np.ndarray, found: np.ndarray) -> float:
    return float(np.square(x @ (found - wanted)).sum())


def test_apart_from_each_other_weights_get_the_nearest_values() -> None:
    wanted = np.array([[0.4, -0.9], [0.6, 7.0], [0.3, 0.2]])
    found = assign(wanted, np.eye(3), np.ones((3, 2), bool), codes(2))
    assert found.tolist() == [[0.0, -1.0], [1.0, 1.0], [0.3, 0.2]]


def test_inputs_that_go_together_make_up_for_each_other() -> None:
    """0.4 + 0.4 of the same is nearly 1, where the nearest values would be nothing."""
    moments = np.array([[1.0, 0.99, 0.0], [0.99, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = assign(np.array([[0.4], [0.4], [0.0]]), moments, np.ones((3, 1), bool), codes(1))
    assert sorted(found[:2, 0]) == [0.0, 1.0]


def test_it_loses_less_than_the_nearest_values() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 4)) @ random.normal(size=(4, 12)) + 0.3
    x = np.hstack([x + 0.1 * random.normal(size=x.shape), np.ones((200, 1))])
    wanted = np.vstack([random.uniform(-1, 1, size=(12, 4)), np.zeros(4)])
    found = assign(wanted, x.T @ x / 200, np.ones(wanted.shape, bool), codes(4))
    nearest = np.vstack([np.round(wanted[:-1]), wanted[-1:]])
    assert lost(x, wanted, found) < 0.3 * lost(x, wanted, nearest)


def test_zeros_and_missing_biases_stay() -> None:
    kept = np.array([[True, False], [True, True], [False, False]])
    wanted = np.array([[0.7, 0.0], [-0.8, 0.9], [0.0, 0.0]])
    found = assign(wanted, np.eye(3) + 0.2, kept, codes(2))
    assert (found[~kept] == 0).all()
    assert set(found[:-1].ravel()) <= set(CODES)
