"""Real trained models through the main job, for three targets, judged on data they never saw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import edgekit

TARGETS = ["rpi4", "android", "cortex-m4"]
IC, KWS, VWW = "ic_resnet8", "kws_dscnn", "vww_mobilenetv1"
MNIST, SMALL, STM = "mnist_keras3", "mltk_small", "stm_audio"
CIFAR = ("cifar10_train_0_999.npz:x[:100]", "cifar10_test_0_499.npz:x,y")
WORDS = ("kws01_even500.npz:x_int8[:100]", "kws01_even500.npz:x_int8,y[100:]")
PEOPLE = ("vww96_coco_train2017_113.npz:x[:50]", "vww96_coco_train2017_113.npz:x,y[50:]")
DIGITS = ("mnist_t10k_0_4999.npz:x[:100]", "mnist_t10k_0_4999.npz:x,y[100:1100]")
MFCC = "scale=0.5847,offset=-48.5301"


@dataclass(frozen=True)
class Case:
    """A model with its data, what the values mean, and the counts of its papers."""

    folder: str
    model: str
    data: tuple[str, str]
    preprocess: str
    macs: int


def case(*arguments: object, name: str, essential: bool = True) -> object:
    marks = [pytest.mark.essential] if essential else []
    return pytest.param(Case(*arguments), id=name, marks=marks)  # type: ignore[arg-type]


LABELLED = [
    case(KWS, "kws_ref_model", WORDS, MFCC, 2_656_768, name="keywords, SavedModel"),
    case(
        KWS,
        "kws_ref_model_from_savedmodel.h5",
        WORDS,
        MFCC,
        2_656_768,
        name="keywords, h5",
        essential=False,
    ),
    case(IC, "pretrainedResnet.h5", CIFAR, "raw", 12_501_632, name="ResNet8, h5"),
    case(
        IC,
        "pretrainedResnet_nchw.onnx",
        CIFAR,
        "raw",
        12_501_632,
        name="ResNet8, NCHW ONNX",
        essential=False,
    ),
    case(IC, "alibaba_ic_mobilenet_nchw.onnx", CIFAR, "imagenet", 2_083_824, name="PyTorch ONNX"),
    case(VWW, "vww_96.h5", PEOPLE, "unit", 7_489_664, name="person, h5"),
    case(
        VWW,
        "vww_96_float_nchw.onnx",
        PEOPLE,
        "unit",
        7_489_664,
        name="person, NCHW ONNX",
        essential=False,
    ),
    case(MNIST, "mnist_cnn.keras", DIGITS, "unit", 2_440_960, name="digits, Keras 3"),
    case(
        MNIST,
        "mnist_cnn_keras3.h5",
        DIGITS,
        "unit",
        2_440_960,
        name="digits, h5 of Keras 3",
        essential=False,
    ),
    case(MNIST, "cntk_mnist_nchw.onnx", DIGITS, "raw", 786_560, name="digits, CNTK ONNX"),
]
UNLABELLED = [
    pytest.param(
        f"{SMALL}/tflite_micro_magic_wand/tflite_micro_magic_wand.h5", (128, 3, 1), id="magic wand"
    ),
    pytest.param(
        f"{SMALL}/tflite_micro_speech/tflite_micro_speech.h5", (49, 40, 1), id="micro speech"
    ),
    pytest.param(f"{STM}/miniresnet_1stacks_64x50.h5", (64, 50, 1), id="miniresnet"),
]


@pytest.mark.slow
@pytest.mark.parametrize("case", LABELLED)
def test_int8_keeps_the_accuracy(case: Case, real_models: Path, tmp_path: Path) -> None:
    folder = real_models / case.folder
    calibration, evaluation = (f"{folder}/{text}" for text in case.data)
    builds = edgekit.build_all(
        folder / case.model,
        TARGETS,
        calibration=calibration,
        evaluation=evaluation,
        preprocess=case.preprocess,
        samples=100,
        output=tmp_path,
    )
    assert [build.manifest["target"] for build in builds] == TARGETS
    for build in builds:
        manifest = build.manifest
        assert manifest["model"]["macs"] == case.macs
        # of person detection half of the work is for channels that change nothing
        share = manifest["built"]["macs"] / case.macs
        assert 0.4 < share < 0.6 if case.folder == VWW else 0.9 < share <= 1
        assert manifest["fidelity"]["sqnr_db"] > 22
        accuracy = manifest["accuracy"]
        low, high = accuracy["interval"]
        assert low <= accuracy["drop"] <= high
        # 0.5 point is less than the noise of 500 samples: what is certain is the interval
        assert low <= 0.5, accuracy
        assert accuracy["drop"] <= max(1.0, 200 / accuracy["samples"]), accuracy


@pytest.mark.slow
@pytest.mark.essential
@pytest.mark.parametrize(("path", "shape"), UNLABELLED)
def test_without_data_fidelity_on_seeded_inputs(
    path: str, shape: tuple[int, ...], real_models: Path, tmp_path: Path
) -> None:
    """No data are at hand for these: synthetic inputs say something about closeness, no more."""
    rows = np.random.default_rng(0).normal(size=(150, *shape)).astype(np.float32)
    np.savez(tmp_path / "rows.npz", x=rows)
    builds = edgekit.build_all(
        real_models / path,
        TARGETS,
        calibration=f"{tmp_path}/rows.npz",
        samples=100,
        output=tmp_path,
    )
    for build in builds:
        assert build.manifest["fidelity"]["samples"] == 50
        assert build.manifest["fidelity"]["top1_agreement"] >= 90
        assert build.manifest["accuracy"] is None
