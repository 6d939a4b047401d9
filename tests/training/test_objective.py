from __future__ import annotations

import numpy as np
import pytest

from edgekit import _tf
from edgekit.training.labels import Head, Task
from edgekit.training.objective import Objective

RNG = np.random.default_rng(0)
STUDENT, TEACHER = RNG.normal(size=(2, 6, 4)).astype(np.float32) * 3


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores.astype(np.float64))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(scores: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-scores.astype(np.float64)))


def kl_softmax(t: float) -> float:
    p, q = softmax(TEACHER / t), softmax(STUDENT / t)
    return t * t * (p * np.log(p / q)).sum(axis=-1).mean()


def kl_sigmoid(t: float) -> float:
    p, q = sigmoid(TEACHER / t), sigmoid(STUDENT / t)
    return t * t * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean()


def test_distances_from_the_teacher_are_those_of_the_books() -> None:
    expected: dict[Head, float] = {
        "softmax": kl_softmax(4.0),
        "sigmoid": kl_sigmoid(4.0),
        "linear": float(((STUDENT - TEACHER) ** 2).mean() / 2.5),
    }
    for head, wanted in expected.items():
        loss = Objective((head,), (2.5,), temperature=4.0)
        assert float(loss([STUDENT], [TEACHER])) == pytest.approx(wanted, rel=1e-4)
        assert float(loss([TEACHER], [TEACHER])) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("head", "task", "labels", "expected"),
    [
        pytest.param(
            "softmax", Task(0, (4,), 4), [0, 1, 2, 3, 0, 1],
            lambda: -np.log(softmax(STUDENT)[range(6), [0, 1, 2, 3, 0, 1]]).mean(),
            id="classes of a softmax",
        ),
        pytest.param(
            "linear", Task(0, (4,), 4), [0, 1, 2, 3, 0, 1],
            lambda: -np.log(softmax(STUDENT)[range(6), [0, 1, 2, 3, 0, 1]]).mean(),
            id="classes of bare scores",
        ),
        pytest.param(
            "sigmoid", Task(0, (4,), 0), np.eye(4)[[0, 0, 1, 1, 2, 2]],
            lambda: -np.log(
                np.where(np.eye(4)[[0, 0, 1, 1, 2, 2]] > 0, sigmoid(STUDENT), sigmoid(-STUDENT))
            ).mean(),
            id="several classes at once",
        ),
        pytest.param(
            "linear", Task(0, (4,), 0), TEACHER * 2,
            lambda: ((STUDENT - TEACHER * 2) ** 2).mean() / 2.5,
            id="values",
        ),
    ],
)  # fmt: skip
def test_labels_are_weighed_against_the_teacher(
    head: Head, task: Task, labels: object, expected: object
) -> None:
    targets = task.targets(np.asarray(labels, np.int32 if task.classes else np.float32))
    alone = Objective((head,), (2.5,), task, label_weight=1.0)
    assert not alone.distils
    assert float(alone([STUDENT], [], targets)) == pytest.approx(expected(), rel=1e-4)
    teacher = float(Objective((head,), (2.5,))([STUDENT], [TEACHER]))
    both = Objective((head,), (2.5,), task, label_weight=0.3)
    found = float(both([STUDENT], [TEACHER], targets))
    assert found == pytest.approx(0.3 * expected() + 0.7 * teacher, rel=1e-4)


def test_the_loss_of_a_mixed_row_is_the_mixture_of_losses() -> None:
    task = Task(0, (4,), 4)
    loss = Objective(("softmax",), (1.0,), task, label_weight=1.0)
    row = STUDENT[:1]
    first, second = (float(loss([row], [], np.eye(4, dtype=np.float32)[i : i + 1])) for i in (0, 2))
    mixed = np.array([[0.7, 0, 0.3, 0]], np.float32)
    assert float(loss([row], [], mixed)) == pytest.approx(0.7 * first + 0.3 * second, rel=1e-5)


def test_outputs_without_labels_are_learned_from_the_teacher() -> None:
    heads: tuple[Head, ...] = ("softmax", "linear")
    loss = Objective(heads, (1.0, 2.5), Task(0, (4,), 4), label_weight=1.0)
    assert loss.distils
    targets = np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0, 1]]
    task = Objective(heads[:1], (1.0,), Task(0, (4,), 4), label_weight=1.0)
    expected = float(task([STUDENT], [], targets)) + ((STUDENT - TEACHER) ** 2).mean() / 2.5
    found = float(loss([STUDENT, STUDENT], [TEACHER, TEACHER], targets))
    assert found == pytest.approx(expected, rel=1e-5)


def test_features_are_compared_in_units_of_the_teachers_spread() -> None:
    loss = Objective(("linear",), (1.0,), feature_weight=3.0)
    dead = np.zeros_like(TEACHER)
    inner = [(STUDENT * 100, TEACHER * 100), (STUDENT, dead)]
    expected = 3.0 / 2 * ((STUDENT - TEACHER) ** 2).mean() / TEACHER.var()
    assert float(loss([TEACHER], [TEACHER], None, inner)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("head", ["softmax", "sigmoid", "linear"])
def test_gradients_stay_finite_with_huge_scores(head: Head) -> None:
    tf = _tf.tensorflow()
    scores = tf.Variable(np.float32([[1e4, -1e4, 0]]))
    with tf.GradientTape() as tape:
        loss = Objective((head,), (1.0,))([scores], [tf.constant([[-1e4, 1e4, 0.0]])])
    assert np.isfinite(float(loss))
    assert np.isfinite(tape.gradient(loss, scores)).all()


def test_labels_are_for_exits_too_and_their_losses_weigh_less() -> None:
    heads: tuple[Head, ...] = ("softmax", "softmax")
    task, targets = Task(0, (4,), 4), np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0, 1]]
    alone = Objective(heads[:1], (1.0,), task, label_weight=1.0)
    last, early = (float(alone([scores], [], targets)) for scores in (STUDENT, 2 * STUDENT))
    loss = Objective(heads, (1.0, 1.0), task, label_weight=1.0, exits=1, exit_weight=0.3)
    assert not loss.distils
    found = float(loss([STUDENT, 2 * STUDENT], [], targets))
    assert found == pytest.approx(last + 0.3 * early, rel=1e-5)
