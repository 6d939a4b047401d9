"""Which weights can go, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.passes._surgeon import Matrix, choose, columns, damped, least_squares


def matrix(
    kernel: list[list[float]], felt: list[float], inputs: np.ndarray | None = None
) -> Matrix:
    """With a bias of 0; inputs are independent and of size 1 where none are given."""
    goal = np.vstack([kernel, np.zeros(len(kernel[0]))])
    moments = np.eye(len(goal)) if inputs is None else inputs
    return Matrix(goal, moments, np.array(felt), goal != 0)


def kept(matrices: list[Matrix], share: float) -> list[np.ndarray]:
    *_, last = choose(matrices, share)
    return [each[:-1] for each in last]


def test_without_correlations_the_smallest_go() -> None:
    (stays,) = kept([matrix([[1.0, -4.0], [2.0, 3.0]], [1.0, 1.0])], 0.5)
    assert stays.tolist() == [[False, True], [False, True]]


def test_an_output_that_the_answers_feel_keeps_more() -> None:
    (stays,) = kept([matrix([[1.0, -4.0], [2.0, 3.0]], [100.0, 1.0])], 0.5)
    assert stays.tolist() == [[True, False], [True, False]]


def test_of_inputs_that_repeat_each_other_one_goes() -> None:
    moments = np.array([[1, 0.999, 0, 0], [0.999, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    (stays,) = kept([matrix([[9.0], [8.0], [1.0]], [1.0], moments)], 1 / 3)
    assert stays[2, 0]
    assert stays[:2, 0].sum() == 1


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
def test_all_layers_together_reach_the_share_and_none_is_emptied(share: float) -> None:
    random = np.random.default_rng(1)
    sizes = (4, 6), (6, 5), (20, 12)
    matrices = [
        matrix(random.normal(size=size).tolist(), [10.0**-number] * size[1])
        for number, size in enumerate(sizes)
    ]
    stays = kept(matrices, share)
    total = sum(each.size for each in stays)
    assert sum(int(each.sum()) for each in stays) == round(total * (1 - share))
    assert all(each.any() for each in stays)


def test_zeros_that_there_are_count_and_stay() -> None:
    (stays,) = kept([matrix([[0.0, 5.0], [1.0, 2.0]], [1.0, 1.0])], 0.5)
    assert stays.tolist() == [[False, True], [False, True]]


def test_least_squares_is_zero_where_nothing_is_kept_and_best_elsewhere() -> None:
    random = np.random.default_rng(2)
    x, goal = random.normal(size=(50, 6)), random.normal(size=(6, 3))
    stays = random.random((6, 3)) < 0.6
    solved = least_squares(x.T @ x, x.T @ x @ goal, stays)
    assert (solved[~stays] == 0).all()
    for column in range(3):
        rows = stays[:, column]
        best = np.linalg.lstsq(x[:, rows], x @ goal[:, column], rcond=None)[0]
        np.testing.assert_allclose(solved[rows, column], best)


def test_columns_that_keep_the_same_come_together() -> None:
    pattern = np.array([[True, False, True], [True, True, True]])
    found = {tuple(outputs): rows.tolist() for outputs, rows in columns(pattern)}
    assert found == {(0, 2): [0, 1], (1,): [1]}


def test_damping_leaves_the_bias_alone() -> None:
    moments = np.diag([2.0, 4.0, 1.0])
    np.testing.assert_allclose(np.diag(damped(moments)), [2.03, 4.03, 1.0])
