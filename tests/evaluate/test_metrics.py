from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgekit.errors import UsageError
from edgekit.evaluate.metrics import area_under_curve, scorer


@pytest.mark.parametrize(
    ("scores", "labels", "area"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 100.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0),
        ([1, 3, 2, 4], [0, 0, 1, 1], 75.0),
        ([1, 2, 2, 3], [0, 0, 1, 1], 87.5),
        ([5, 5, 5, 5], [0, 1, 0, 1], 50.0),
    ],
    ids=["apart", "the wrong way round", "one of four pairs wrong", "one tie", "all ties"],
)
def test_area_under_the_curve_counts_pairs(
    scores: list[int], labels: list[int], area: float
) -> None:
    assert area_under_curve(np.array(scores, float), np.array(labels)) == area


SCORES = np.zeros((1, 3), np.float32)
IMAGE = np.zeros((1, 8), np.float32)


@pytest.mark.parametrize(
    ("output", "labels", "name"),
    [
        pytest.param(SCORES, [0, 2, 1], "top1", id="class numbers and class scores"),
        pytest.param(SCORES, np.eye(3), "top1", id="one-hot"),
        pytest.param(SCORES, np.ones((3, 3)) / 7, "mse", id="values for each output"),
        pytest.param(SCORES[:, :1], [0, 1, 1], "top1", id="a probability"),
        pytest.param(SCORES[:, :1], [7, 1, 4], "mse", id="whole numbers to regress"),
        pytest.param(IMAGE, [0, 1, 1], "auc", id="a reconstruction with 0 and 1"),
    ],
)
def test_the_metric_follows_from_outputs_and_labels(
    output: np.ndarray, labels: object, name: str
) -> None:
    assert scorer("", (IMAGE,), (output,), np.asarray(labels)).name == name


METRICS = """
import sys
def share(outputs, labels):
    print("called")
    return float((outputs.argmax(1) == labels).mean())
def nan(outputs, labels): return float("nan")
def leaves(outputs, labels): sys.exit(5)
"""


@pytest.mark.parametrize(
    ("function", "message"),
    [
        pytest.param("nan", "gives nan for 3 rows", id="no finite number"),
        pytest.param("leaves", "fails: SystemExit: 5", id="it leaves"),
        pytest.param("none", "cannot be loaded", id="not there"),
    ],
)
def test_a_metric_of_the_user_that_fails_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_metrics.py").write_text(METRICS)
    with pytest.raises(UsageError, match=f"my_metrics:{function} {message}"):
        judge_with(f"python:my_metrics:{function}")


def test_what_a_metric_prints_stays_off_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_metrics.py").write_text(METRICS)
    assert judge_with("python:my_metrics:share") == pytest.approx(1 / 3)
    assert capsys.readouterr() == ("", "called\n")


def judge_with(metric: str) -> float:
    made = scorer(metric, (IMAGE,), (SCORES,), np.array([0, 2, 1]))
    return made.total(np.zeros((3, 3)), made.labels)
