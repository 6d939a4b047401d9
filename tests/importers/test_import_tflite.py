"""`.tflite` files: float ones pass, quantized ones are taken as they are and say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit import _tf
from edgekit.errors import ModelError
from edgekit.graph.edit import pack, unpack
from edgekit.importers.base import load


def float_net(shape: tuple[int | None, ...] = (1, 6, 6, 2)) -> bytes:
    """What TensorFlow's own converter makes of a small net."""
    tf, keras = _tf.tensorflow(), _tf.tf_keras()
    net = keras.Sequential([keras.layers.Input(batch_shape=shape), keras.layers.Conv2D(2, 3)])
    with _tf.silent():
        return bytes(tf.lite.TFLiteConverter.from_keras_model(net).convert())


def test_a_float_file_is_the_hubs_own_form(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(float_net((None, 6, 6, 2)))
    model = load(tmp_path / "net.tflite")
    assert model.tflite == (tmp_path / "net.tflite").read_bytes()
    assert model.form == "tflite"
    assert model.traits == frozenset()
    assert model.problems == ()
    assert model.source.parameters == 3 * 3 * 2 * 2 + 2


@pytest.mark.parametrize(
    ("shape", "message"),
    [((None, None, None, 2), "no fixed shape"), ((4, 6, 6, 2), "batch size 4 baked in")],
    ids=["open height and width", "batch of 4"],
)
def test_shapes_that_are_refused(
    tmp_path: Path, shape: tuple[int | None, ...], message: str
) -> None:
    (tmp_path / "net.tflite").write_bytes(float_net(shape))
    with pytest.raises(ModelError, match=message):
        load(tmp_path / "net.tflite")


def test_a_custom_op_is_named(tmp_path: Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    model = unpack(float_net())
    code = model.operatorCodes[0]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b"MagicOp"
    for op in model.subgraphs[0].operators:
        op.builtinOptions, op.builtinOptionsType = None, 0
    (tmp_path / "net.tflite").write_bytes(pack(model))
    with pytest.raises(ModelError, match="custom op MagicOp"):
        load(tmp_path / "net.tflite")


QUANTIZED = {
    "ic_resnet8/pretrainedResnet_int8.tflite": "integer",
    "kws_dscnn/kws_ref_model_int8.tflite": "integer",
    "kws_dscnn/kws_ref_model_dynrange.tflite": "dynamic-range",
    "vww_mobilenetv1/vww_96_int8.tflite": "integer",
    "stm_audio/miniresnet_1stacks_64x50_int8.tflite": "integer",
    "mltk_small/tflite_micro_magic_wand/tflite_micro_magic_wand.tflite": "integer",
    "mltk_small/tflite_micro_speech/tflite_micro_speech.tflite": "integer",
    "tflm_examples/hello_world_int8.tflite": "integer",
    "tflm_examples/micro_speech_int8.tflite": "integer",
    "tflm_examples/mnist_lstm_int8.tflite": "integer",
}


@pytest.mark.parametrize("name", QUANTIZED)
def test_real_quantized_files(real_models: Path, name: str) -> None:
    model = load(real_models / name)
    assert model.traits == {"quantized"}
    assert [problem.severity for problem in model.problems] == ["note"]
    assert QUANTIZED[name] in model.problems[0].message


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("tflm_examples/hello_world_float.tflite", 321),
        ("tflm_examples/mnist_lstm_float.tflite", None),
        ("ic_resnet8/pretrainedResnet_float.tflite", 77706),
        ("vww_mobilenetv1/vww_96_float.tflite", None),
    ],
)
def test_real_float_files(real_models: Path, name: str, parameters: int | None) -> None:
    model = load(real_models / name)
    assert model.traits == frozenset()
    assert model.problems == ()
    assert parameters in (None, model.source.parameters)
