"""Real models, 100 unlabeled samples, disjoint labelled sets: at most 0.5 point is lost."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_nets import as_model, rows_of

from edgekit import _tf
from edgekit.convert import float_tflite
from edgekit.graph.read import read
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.runtimes.base import open_runtime, run_float


def _images(folder: Path) -> tuple[bytes, Any, Any, Any]:
    train = np.load(folder / "ic_resnet8/cifar10_train_0_999.npz")["x"]
    test = np.load(folder / "ic_resnet8/cifar10_test_0_499.npz")
    tflite = (folder / "ic_resnet8/pretrainedResnet_float.tflite").read_bytes()
    return tflite, train[:100], test["x"], test["y"]


def _words(folder: Path) -> tuple[bytes, Any, Any, Any]:
    model = _tf.tf_keras().models.load_model(
        folder / "kws_dscnn/kws_ref_model_from_savedmodel.h5", compile=False
    )
    data = np.load(folder / "kws_dscnn/kws01_even500.npz")
    features = (data["x_int8"].astype(np.float32).reshape(-1, 49, 10, 1) - 83) * 0.5847
    order = np.random.default_rng(0).permutation(len(features))
    used, rest = order[:100], order[100:]
    return float_tflite(model), features[used], features[rest], data["y"][rest]


def _people(folder: Path) -> tuple[bytes, Any, Any, Any]:
    data = np.load(folder / "vww_mobilenetv1/vww96_coco_train2017_113.npz")
    images = data["x"].astype(np.float32) / 255
    tflite = (folder / "vww_mobilenetv1/vww_96_float.tflite").read_bytes()
    return tflite, images[:50], images[50:], data["y"][50:]


def right(tflite: bytes, values: Any, labels: Any) -> int:
    """How many rows the model classifies as labelled."""
    with open_runtime("litert", tflite) as runtime:
        outputs = [row[0] for row in run_float(runtime, read(tflite), rows_of(values)())]
    return sum(int(out.argmax()) == label for out, label in zip(outputs, labels, strict=True))


@pytest.mark.parametrize("task", [_images, _words, _people], ids=["images", "words", "people"])
def test_int8_loses_at_most_half_a_point_or_one_sample(real_models: Path, task: Any) -> None:
    tflite, calibration, values, labels = task(real_models)
    built = load("int8").quantize(as_model(tflite), rows_of(calibration), QuantizeOptions())
    lost = right(tflite, values, labels) - right(built.tflite, values, labels)
    assert lost <= max(1, 0.005 * len(labels))
