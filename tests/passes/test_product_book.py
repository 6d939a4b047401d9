"""Code books of blocks: what is found, and what is lost, on matrices that tell."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.passes._product_book import assign, learn, nearest

RANDOM = np.random.default_rng(0)
BOOK = RANDOM.normal(size=(6, 4))


def moments(inputs: int, seed: int = 1) -> np.ndarray:
    """E[x x'] of inputs that go together, with a 1 behind them."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(400, inputs)) @ random.normal(size=(inputs, inputs))
    x = np.hstack([x, np.ones((400, 1))])
    return np.asarray(x.T @ x / 400 + 1e-6 * np.eye(inputs + 1))


def diagonal(whole: np.ndarray, length: int) -> np.ndarray:
    """The blocks of `length` inputs on the diagonal."""
    starts = range(0, len(whole) - 1, length)
    return np.stack([whole[s : s + length, s : s + length] for s in starts])


def parted(matrix: np.ndarray, length: int) -> np.ndarray:
    """[inputs, outputs] as [positions, outputs, length]."""
    return matrix.reshape(-1, length, matrix.shape[1]).transpose(0, 2, 1)


def matrix_of(book: np.ndarray, index: np.ndarray) -> np.ndarray:
    """What `parted` parts, of the codes at `index`."""
    return np.asarray(book[index].transpose(0, 2, 1).reshape(-1, index.shape[1]))


def lost(error: np.ndarray, whole: np.ndarray) -> float:
    """Of the outputs, by an error [inputs + 1, outputs] of the matrix."""
    return float(np.trace(error.T @ whole @ error))


def test_a_matrix_made_of_few_blocks_comes_back() -> None:
    index = RANDOM.integers(0, 6, (3, 20))
    blocks, whole = BOOK[index], moments(12)
    found = learn(blocks, diagonal(whole, 4), np.ones(20), 6, seed=0)
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(BOOK, axis=0), atol=1e-9)
    wanted = np.vstack([matrix_of(BOOK, index), RANDOM.normal(size=20)])
    places, biases = assign(wanted, whole, BOOK)
    assert np.array_equal(places, index)
    np.testing.assert_allclose(biases, wanted[-1], atol=1e-9)


def test_what_the_layer_is_given_decides_which_errors_count() -> None:
    """Of each block the first input is loud: a book that knows it loses less of the outputs."""
    blocks = RANDOM.normal(size=(3, 30, 4))
    loud = np.tile(np.diag([100.0, 1, 1, 1]), (3, 1, 1))
    losses = []
    for metric in (loud, np.tile(np.eye(4), (3, 1, 1))):
        book = learn(blocks, metric, np.ones(30), 8, seed=0)
        losses.append(nearest(blocks, np.linalg.cholesky(loud), book)[1].sum())
    assert losses[0] < 0.5 * losses[1]


def test_outputs_that_count_more_are_served_better() -> None:
    blocks, metric = RANDOM.normal(size=(4, 20, 3)), np.tile(np.eye(3), (4, 1, 1))
    weights = np.where(np.arange(20) < 5, 100.0, 1.0)
    book = learn(blocks, metric, weights, 10, seed=0)
    found = nearest(blocks, metric, book)[1]
    assert found[:, :5].mean() < 0.5 * found[:, 5:].mean()


@pytest.mark.parametrize("length", [2, 4])
def test_blocks_that_make_up_for_others_lose_less_than_the_nearest(length: int) -> None:
    wanted, whole = np.random.default_rng(4).normal(size=(17, 24)), moments(16)
    blocks = parted(wanted[:-1], length)
    book = learn(blocks, diagonal(whole, length), np.ones(24), 12, seed=0)
    plain, _ = nearest(blocks, np.linalg.cholesky(diagonal(whole, length)), book)
    places, biases = assign(wanted, whole, book)
    alone = np.vstack([matrix_of(book, plain), wanted[-1]]) - wanted
    together = np.vstack([matrix_of(book, places), biases]) - wanted
    assert lost(together, whole) < 0.85 * lost(alone, whole)


def test_every_code_is_used_where_there_are_blocks_enough() -> None:
    blocks = RANDOM.normal(size=(5, 40, 4))
    metric = np.tile(np.eye(4), (5, 1, 1))
    book = learn(blocks, metric, np.ones(40), 50, seed=3)
    assert len(np.unique(nearest(blocks, metric, book)[0])) == 50
    again = learn(blocks, metric, np.ones(40), 50, seed=3)
    assert np.array_equal(book, again)
