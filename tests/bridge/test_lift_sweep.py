"""Everything that crosses: Keras 3, tf_keras, ONNX and real models, each at batch 1 and 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lift_cases
import pytest
from onnx_zoo import CONVERTIBLE

from edgekit import _tf
from edgekit.bridge.lift import lift
from edgekit.bridge.lower import lower
from edgekit.bridge.prove import prove
from edgekit.errors import ModelError
from edgekit.importers.base import load

OLD = (
    "dense on a series", "convolution, dilated, same", "convolution, grouped", "separable",
    "depthwise, multiplier, strides", "transposed, valid", "conv, norm, relu, flatten, dense",
    "layer normalization", "hard_sigmoid", "gelu", "prelu", "upsampling, bilinear", "lstm", "gru",
    "multi head attention", "two heads and their trunk",
)  # fmt: skip
REFUSED = {"if": "IF) cannot be trained: it is a branch"}


def crosses(tflite: bytes) -> None:
    for form in ("normalised", "folded"):
        lifted = lift(tflite, form=form)
        prove(lifted, samples=1)
        prove(lifted, samples=3)
        assert lower(lifted) == tflite


@pytest.mark.slow
@pytest.mark.parametrize("name", lift_cases.CASES)
def test_layers_of_keras_3_cross(name: str) -> None:
    with _tf.silent():
        tflite = lift_cases.tflite(lift_cases.CASES[name], _tf.keras3())
    crosses(tflite)


@pytest.mark.slow
@pytest.mark.parametrize("name", OLD)
def test_layers_of_tf_keras_cross(name: str) -> None:
    with _tf.silent():
        tflite = lift_cases.tflite(lift_cases.CASES[name], _tf.tf_keras())
    crosses(tflite)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from test_import_onnx import convert

    models = {name: make() for name, make in CONVERTIBLE.items()}
    return convert(models, tmp_path_factory.mktemp("zoo"))


@pytest.mark.slow
@pytest.mark.parametrize("name", CONVERTIBLE)
def test_onnx_models_cross(zoo: dict[str, Any], name: str) -> None:
    tflite = zoo[name]["tflite"]
    if name in REFUSED:
        with pytest.raises(ModelError) as error:
            lift(tflite)
        assert REFUSED[name] in error.value.message
    else:
        crosses(tflite)


REAL = (
    "ic_resnet8/pretrainedResnet.h5", "ic_resnet8/pretrainedResnet_float.tflite",
    "ic_resnet8/pretrainedResnet_nchw.onnx", "ic_resnet8/alibaba_ic_mobilenet_nchw.onnx",
    "kws_dscnn/kws_ref_model", "kws_dscnn/kws_ref_model_from_savedmodel.h5",
    "kws_dscnn/alibaba_kws_nhwc.onnx", "mnist_keras3/mnist_cnn.keras",
    "mnist_keras3/mnist_cnn_keras3.h5", "mnist_keras3/cntk_mnist_nchw.onnx",
    "mltk_small/tflite_micro_magic_wand/tflite_micro_magic_wand.h5",
    "mltk_small/tflite_micro_speech/tflite_micro_speech.h5",
    "stm_audio/miniresnet_1stacks_64x50.h5", "tflm_examples/hello_world_float.tflite",
    "tflm_examples/mnist_lstm_float.tflite", "vww_mobilenetv1/vww_96.h5",
    "vww_mobilenetv1/vww_96_float.tflite", "vww_mobilenetv1/vww_96_float_nchw.onnx",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_models_cross(real_models: Path, name: str) -> None:
    crosses(load(real_models / name).tflite)


@pytest.mark.parametrize(
    "name", ["tflm_examples/hello_world_float.tflite", "ic_resnet8/pretrainedResnet_float.tflite"]
)
def test_real_flatbuffers_cross(real_models: Path, name: str) -> None:
    crosses((real_models / name).read_bytes())
