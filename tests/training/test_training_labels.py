from __future__ import annotations

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.training.labels import Task, check_head, fit

ONE_HOT = np.eye(4)[[2, 0, 3]]
MULTI_HOT = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize(
    ("labels", "outputs", "task", "values"),
    [
        pytest.param(np.array([2, 0, 3]), [(4,)], Task(0, (4,), 4), [2, 0, 3], id="class numbers"),
        pytest.param(np.array([2.0, 0, 3]), [(4,)], Task(0, (4,), 4), [2, 0, 3], id="as floats"),
        pytest.param(np.array([[2], [3]]), [(4,)], Task(0, (4,), 4), [2, 3], id="in a column"),
        pytest.param(ONE_HOT, [(4,)], Task(0, (4,), 4), [2, 0, 3], id="one-hot"),
        pytest.param(
            np.array([2, 0]), [(1, 1, 4)], Task(0, (1, 1, 4), 4), [2, 0], id="with axes of 1"
        ),
        pytest.param(MULTI_HOT, [(4,)], Task(0, (4,), 0), MULTI_HOT, id="several classes a row"),
        pytest.param(
            np.array([0.5, -2]), [(1,)], Task(0, (1,), 0), [[0.5], [-2]], id="one value each"
        ),
        pytest.param(np.array([1, 0]), [(1,)], Task(0, (1,), 0), [[1], [0]], id="yes or no"),
        pytest.param(
            np.array([2, 0]), [(1,), (4,)], Task(1, (4,), 4), [2, 0], id="the output with classes"
        ),
        pytest.param(
            np.ones((2, 5, 6)), [(5, 6, 3)], Task(0, (5, 6, 3), 3), np.ones((2, 5, 6)), id="pixels"
        ),
        pytest.param(np.full((2, 3), 0.5), [(3,)], Task(0, (3,), 0), np.full((2, 3), 0.5), id="x"),
    ],
)
def test_labels_find_their_output(
    labels: np.ndarray, outputs: list, task: Task, values: object
) -> None:
    found, fitted = fit(labels, outputs)
    assert found == task
    np.testing.assert_array_equal(fitted, values)
    assert fitted.dtype == (np.int32 if task.classes else np.float32)


@pytest.mark.parametrize(
    ("labels", "outputs", "said"),
    [
        pytest.param(np.array([0, 4]), [(4,)], "label 4 of row 1 .* 4 classes", id="too large"),
        pytest.param(np.array([-1, 3]), [(4,)], "label -1 of row 0", id="negative"),
        pytest.param(np.zeros((3, 5)), [(4,)], r"shape \[5\] a row .* \[1, 4\]", id="5 for 4"),
        pytest.param(np.array([0.5, 1]), [(4,)], r"do not fit the output \[1, 4\]", id="fractions"),
        pytest.param(np.array([0, 1]), [(8,)], "do not fit", id="classes of a reconstruction"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: np.ndarray, outputs: list, said: str) -> None:
    with pytest.raises(DataError, match=said):
        fit(labels, outputs, inputs=[(8,)])


def test_guard_labels_mean_what_the_training_labels_mean() -> None:
    task, _ = fit(MULTI_HOT, [(4,)])
    same, values = fit(ONE_HOT, [(4,)], like=task)
    assert same == task
    np.testing.assert_array_equal(values, ONE_HOT)


@pytest.mark.parametrize(
    ("head", "labels", "fine"),
    [
        pytest.param("sigmoid", [[0.0], [1.0]], True, id="0 and 1 for a sigmoid"),
        pytest.param("sigmoid", [[0.0], [2.0]], False, id="2 for a sigmoid"),
        pytest.param("softmax", [[0.25, 0.75]], True, id="probabilities for a softmax"),
        pytest.param("softmax", [[1.0, 1.0]], False, id="two certain classes for a softmax"),
        pytest.param("linear", [[-7.0]], True, id="anything for a linear output"),
    ],
)
def test_probabilities_are_checked(head: str, labels: list, fine: bool) -> None:
    values = np.array(labels, np.float32)
    task = Task(0, values.shape[1:], 0)
    if fine:
        check_head(task, head, values)
    else:
        with pytest.raises(DataError, match=f"row {len(values) - 1}"):
            check_head(task, head, values)


def test_targets_are_one_hot_or_the_values() -> None:
    one_hot = Task(0, (1, 3), 3).targets(np.array([2, 0], np.int32))
    np.testing.assert_array_equal(one_hot, [[[0, 0, 1]], [[1, 0, 0]]])
    values = Task(0, (2,), 0).targets(np.array([[0.5, 1]], np.float32))
    np.testing.assert_array_equal(values, [[0.5, 1]])
