from __future__ import annotations

import numpy as np
import pytest

from edgekit.metrics import area_under_curve, scorer


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
