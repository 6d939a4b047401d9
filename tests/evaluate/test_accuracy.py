from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hand_made import dense, dense_int8

from edgekit.errors import DataError, UsageError
from edgekit.evaluate.accuracy import measure
from edgekit.evaluate.intervals import paired_proportions
from edgekit.runtimes.base import Row

CLASSES = np.eye(3, 4)  # 4 values in, 3 class scores out
SWAPPED = CLASSES[[1, 0, 2]]
ONE = np.array([[1.0, 0, 0, 0]])


def one_hot_rows(classes: list[int]) -> list[Row]:
    return [(np.eye(4, dtype=np.float32)[[k]],) for k in classes]


LABELS = [0, 1, 2, 2, 2, 2, 0, 2, 2, 2]


@pytest.mark.parametrize(
    "labels",
    [LABELS, np.array(LABELS, float), np.array(LABELS)[:, None], np.eye(3)[LABELS]],
    ids=["integers", "whole floats", "a column", "one-hot"],
)
def test_top1_on_rows_that_can_be_counted(labels: object) -> None:
    found = measure(dense([CLASSES]), dense([SWAPPED]), one_hot_rows(LABELS), labels, "litert")
    assert (found.metric, found.samples) == ("top1", 10)
    assert (found.float, found.built, found.drop) == (100.0, 70.0, 30.0)
    low, high = paired_proportions(7, 3, 0, 0)
    assert found.interval == pytest.approx((100 * low, 100 * high))


def test_a_build_that_does_better_has_a_negative_drop() -> None:
    found = measure(dense([SWAPPED]), dense([CLASSES]), one_hot_rows(LABELS), LABELS, "litert")
    assert found.drop == -30.0
    low, high = paired_proportions(7, 0, 3, 0)
    assert found.interval == pytest.approx((100 * low, 100 * high))


def test_no_disagreement_still_has_an_interval() -> None:
    found = measure(dense([CLASSES]), dense([CLASSES]), one_hot_rows(LABELS), LABELS, "litert")
    assert found.drop == 0.0
    assert found.interval[0] < 0 < found.interval[1]


def test_a_single_output_is_a_probability() -> None:
    rows: list[Row] = [(np.full((1, 4), v, np.float32),) for v in (0.2, 0.7, 0.5, 0.9)]
    found = measure(dense([ONE]), dense([0 * ONE]), rows, [0, 1, 0, 0], "litert")
    assert (found.metric, found.float, found.built) == ("top1", 75.0, 75.0)


@pytest.mark.parametrize(
    ("metric", "reference", "built"), [("mse", 1.0, 4.0), ("", 1.0, 4.0), ("mae", 1.0, 2.0)]
)
def test_errors_are_better_when_smaller(metric: str, reference: float, built: float) -> None:
    rows: list[Row] = [(np.full((1, 4), v, np.float32),) for v in (1.5, 2.5, 3.5)]
    labels = [0.5, 1.5, 2.5]  # off by 1, and the built model by 2
    found = measure(dense([ONE]), dense([ONE], outputs=(0,)), rows, labels, "litert", metric)
    assert found.float == pytest.approx(reference)
    assert found.drop == pytest.approx(0)
    shifted = measure(
        lambda row: (row[0][:, :1] - 3,), dense([ONE]), rows, labels, "litert", metric
    )
    assert shifted.float == pytest.approx(built)
    assert shifted.drop == pytest.approx(reference - built)
    assert shifted.interval == pytest.approx((shifted.drop, shifted.drop))


def test_anomalies_are_found_by_the_reconstruction_error() -> None:
    keep = np.diag([1.0, 1, 1, 0])  # rebuilds three channels, so the fourth is the anomaly
    draw = np.random.default_rng(0)
    rows: list[Row] = []
    labels = draw.integers(0, 2, 60)
    for label in labels:
        row = draw.normal(size=(1, 4))
        row[0, 3] *= 4.0 if label else 1.0
        rows.append((row.astype(np.float32),))
    built = dense_int8([keep], [0.1, 0.1])
    found = measure(dense([keep]), built, rows, labels, "tflite-micro")
    assert found.metric == "auc"
    assert 80 < found.float < 100
    assert found.interval[0] <= found.drop <= found.interval[1]
    assert found == measure(dense([keep]), built, rows, labels, "tflite-micro")


def test_a_metric_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_metric.py").write_text(
        "def share(outputs, labels):\n"
        "    assert outputs.shape[1:] == (3,)\n"
        "    return float((outputs.argmax(axis=1) == labels).mean())\n"
        "def fails(outputs, labels):\n"
        "    raise RuntimeError('not today')\n"
    )
    monkeypatch.chdir(tmp_path)
    models = dense([CLASSES]), dense([SWAPPED])
    name = "python:own_metric:share"
    found = measure(*models, one_hot_rows(LABELS), LABELS, "litert", name)
    assert (found.metric, found.float, found.built) == (name, 1.0, 0.7)
    assert found.drop == pytest.approx(0.3)
    assert found.interval[0] < 0.3 < found.interval[1]
    with pytest.raises(UsageError, match="not today"):
        measure(*models, one_hot_rows(LABELS), LABELS, "litert", "python:own_metric:fails")


@pytest.mark.parametrize(
    ("labels", "metric", "error", "said"),
    [
        pytest.param([0, 1, 2, 3, *LABELS[4:]], "", DataError, "label 3 of row 3 .* 3 outputs"),
        pytest.param([0, -1, *LABELS[2:]], "", DataError, "label -1 of row 1"),
        pytest.param([0.5, *LABELS[1:]], "top1", DataError, "label 0.5 of row 0"),
        pytest.param(np.ones((10, 3)), "top1", DataError, "not one-hot for 3 outputs"),
        pytest.param(LABELS[:9], "", DataError, "more than 9 rows and 9 labels"),
        pytest.param([*LABELS, 1], "", DataError, "10 rows and 11 labels"),
        pytest.param([], "", DataError, "no labelled rows"),
        pytest.param(["cat"] * 10, "", DataError, "not finite numbers"),
        pytest.param([0.5] * 10, "mse", DataError, "1 values a row, the output has 3"),
        pytest.param(LABELS, "auc", UsageError, r"auc needs .* \[1, 3\]"),
        pytest.param(LABELS, "f1", UsageError, "no metric 'f1'"),
        pytest.param(LABELS, "python:nowhere:f", UsageError, "cannot be loaded"),
    ],
)
def test_labels_and_metrics_that_do_not_fit_are_refused(
    labels: object, metric: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        measure(dense([CLASSES]), dense([CLASSES]), one_hot_rows(LABELS), labels, "litert", metric)


def test_a_mistyped_metric_is_guessed() -> None:
    with pytest.raises(UsageError) as caught:
        measure(dense([CLASSES]), dense([CLASSES]), one_hot_rows([0]), [0], "litert", "top-1")
    assert caught.value.hint == "did you mean 'top1'?"


def test_the_manifest_gets_plain_numbers() -> None:
    found = measure(dense([CLASSES]), dense([SWAPPED]), one_hot_rows(LABELS), LABELS, "litert")
    data = found.to_json()
    assert list(data) == ["metric", "samples", "float", "built", "drop", "interval", "discordant"]
    assert (data["drop"], data["discordant"]) == (30.0, [3, 0])
    assert [type(limit) for limit in data["interval"]] == [float, float]


def test_keyword_spotting_reaches_its_published_accuracy(real_models: Path) -> None:
    """90.4 % on these 500 inputs under TFLM, as the board's own outputs give."""
    folder = real_models / "kws_dscnn"
    with np.load(folder / "kws01_even500.npz") as data:
        values = (data["x_int8"].astype(np.float32) - data["zero_point"]) * data["scale"]
        labels = data["y"]
    built = (folder / "kws_ref_model_int8.tflite").read_bytes()
    reference = (folder / "kws_ref_model_dynrange.tflite").read_bytes()
    found = measure(reference, built, ((row[None],) for row in values), labels, "tflite-micro")
    assert (found.samples, found.metric) == (500, "top1")
    assert found.built == pytest.approx(90.4)
    assert abs(found.drop) <= 0.6
    assert found.interval[0] < found.drop < found.interval[1]
    assert found.interval[1] - found.interval[0] < 4
