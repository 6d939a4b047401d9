from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.data.check import check
from edgekit.data.prepare import Prepared, prepare
from edgekit.data.samples import open_samples
from edgekit.data.select import select
from edgekit.errors import DataError
from edgekit.model import TensorSpec
from edgekit.preprocess import parse

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(50, 8, 8, 2)).astype(np.float32)


def messages(root: Path, x: np.ndarray, preprocess: str = "raw", **extra: Any) -> str:
    np.savez(root / "d.npz", x=x, **extra)
    rows = rows_of(root / "d.npz:x", x.shape[1:], preprocess)
    return "\n".join(f"{p.message} | {p.hint}" for p in check(rows, parse(preprocess)))


def rows_of(spec: Path, shape: tuple[int, ...], preprocess: str) -> Prepared:
    samples, _ = select(open_samples([str(spec)]), 100, 0)
    return prepare(samples, parse(preprocess), (TensorSpec("in", (1, *shape), "float32"),))


def with_values(x: np.ndarray, where: object, value: object) -> np.ndarray:
    x = x.copy()
    x[where] = value  # type: ignore[index]
    return x


@pytest.mark.parametrize(
    ("x", "preprocess", "expected"),
    [
        pytest.param(NOISE[:1], "raw", "only 1 sample:", id="one sample"),
        pytest.param(NOISE[:9], "raw", "only 9 samples", id="few samples"),
        pytest.param(NOISE * 0, "raw", "every sample is one constant", id="all constant"),
        pytest.param(
            with_values(NOISE, slice(7, 9), 0),
            "raw",
            "2 of 50 samples are one constant value: d.npz:x row 7, d.npz:x row 8",
            id="two constant",
        ),
        pytest.param(
            np.concatenate([NOISE[:25]] * 2), "raw", "25 of 50 samples repeat", id="duplicates"
        ),
        pytest.param(
            with_values(NOISE, (..., 1), 3),
            "raw",
            "channel 1 of the input in is never active (always 3)",
            id="a dead channel",
        ),
        pytest.param(
            np.clip(NOISE, -1, 1), "raw", "sit on the limit 1: the data look clipped", id="clipped"
        ),
        pytest.param(
            RNG.integers(0, 256, NOISE.shape, dtype=np.uint8),
            "raw",
            "--preprocess unit",
            id="raw 0..255",
        ),
        pytest.param(
            RNG.random(NOISE.shape), "unit", "divides them by 255 once more", id="scaled twice"
        ),
        pytest.param(
            RNG.integers(-128, 128, NOISE.shape, dtype=np.int8),
            "raw",
            "quantized codes",
            id="int8 codes",
        ),
        pytest.param(NOISE, "raw", None, id="sound noise"),
        pytest.param(
            RNG.integers(0, 256, NOISE.shape, dtype=np.uint8), "unit", None, id="sound pictures"
        ),
    ],
)
def test_each_oddity_is_told(
    tmp_path: Path, x: np.ndarray, preprocess: str, expected: str | None
) -> None:
    told = messages(tmp_path, x, preprocess)
    if expected is None:
        assert told == ""
    else:
        assert expected in told


def test_scale_and_zero_point_beside_the_rows_make_the_hint(tmp_path: Path) -> None:
    x = RNG.integers(-128, 128, NOISE.shape, dtype=np.int8)
    told = messages(tmp_path, x, scale=np.float32(0.5), zero_point=np.int32(83))
    assert "write --preprocess scale=1/2,offset=-41.5" in told


def test_white_in_pictures_is_a_note(tmp_path: Path) -> None:
    x = RNG.integers(0, 255, NOISE.shape, dtype=np.uint8)
    x[:, :2] = 255
    np.savez(tmp_path / "d.npz", x=x)
    (problem,) = check(rows_of(tmp_path / "d.npz:x", x.shape[1:], "unit"), parse("unit"))
    assert problem.severity == "note"
    assert "25 % of the values sit on the limit 255" in problem.message


def test_token_numbers_have_no_scale(tmp_path: Path) -> None:
    tokens = np.random.default_rng(0).integers(0, 256, (60, 20))
    np.savez(tmp_path / "ids.npz", x=tokens)
    inputs = (TensorSpec("ids", (1, 20), "int32"),)
    rows = prepare(open_samples([f"{tmp_path}/ids.npz"]), parse("raw"), inputs)
    assert check(rows, parse("raw")) == []


def test_nan_is_an_error_that_names_the_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"d\.npz:x row 3 contains NaN \(1 of 128 values\)"):
        messages(tmp_path, with_values(NOISE, (3, 0, 0, 0), np.nan))


@pytest.mark.parametrize(
    ("preprocess", "expected", "told"),
    [
        ("unit", (0.0, 1.0), ""),
        ("raw", (0.0, 255.0), ""),
        ("raw", (0.0, 1.0), "unit"),
        ("unit", (0.0, 255.0), "raw"),
        ("raw", (-1.0, 1.0), "symmetric"),
    ],
)
def test_a_known_range_decides(
    tmp_path: Path, preprocess: str, expected: tuple[float, float], told: str
) -> None:
    np.savez(tmp_path / "d.npz", x=RNG.integers(0, 256, NOISE.shape, dtype=np.uint8))
    rows = rows_of(tmp_path / "d.npz:x", NOISE.shape[1:], preprocess)
    found = check(rows, parse(preprocess), expected=expected)
    assert [problem.hint for problem in found] == ([f"write --preprocess {told}"] if told else [])


# What real models say to real data, through LiteRT on their float flatbuffers.
KWS = "kws_dscnn/kws01_even500.npz:x_int8"
CIFAR = "ic_resnet8/cifar10_train_0_999.npz:x"
VWW = "vww_mobilenetv1/vww96_coco_train2017_113.npz:x"
MNIST = "mnist_keras3/mnist_t10k_0_4999.npz:x"
RESNET8 = "ic_resnet8/pretrainedResnet_float.tflite"
VWW_FLOAT = "vww_mobilenetv1/vww_96_float.tflite"
LSTM = "tflm_examples/mnist_lstm_float.tflite"
MOTIONS = "imu_basicmotions/basicmotions.npz:x_train"


def litert(model: bytes) -> Callable[[tuple[np.ndarray, ...]], tuple[np.ndarray, ...]]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]

    def predict(row: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        interpreter.reset_all_variables()  # an LSTM forgets the row before
        interpreter.set_tensor(source, row[0])
        interpreter.invoke()
        return (interpreter.get_tensor(result),)

    return predict


@pytest.mark.parametrize(
    ("data", "shape", "preprocess"),
    [
        pytest.param(KWS, (49, 10, 1), "scale=0.5847,offset=-48.5301", id="kws"),
        pytest.param(CIFAR, (32, 32, 3), "unit", id="cifar"),
        pytest.param(VWW, (96, 96, 3), "unit", id="vww"),
        pytest.param(MNIST, (28, 28, 1), "unit", id="mnist"),
        pytest.param(MNIST, (28, 28), "unit", id="mnist for an LSTM"),
        pytest.param(MOTIONS, (100, 6), "raw", id="basicmotions"),
    ],
)
def test_real_data_give_no_false_alarm_without_the_model(
    real_models: Path, data: str, shape: tuple[int, ...], preprocess: str
) -> None:
    assert check(rows_of(real_models / data, shape, preprocess), parse(preprocess)) == []


@pytest.mark.parametrize(
    ("model", "data", "shape", "preprocess", "likely"),
    [
        pytest.param(RESNET8, CIFAR, (32, 32, 3), "raw", None, id="resnet8 raw is right"),
        pytest.param(RESNET8, CIFAR, (32, 32, 3), "unit", "raw", id="resnet8 unit"),
        pytest.param(RESNET8, CIFAR, (32, 32, 3), "symmetric", "raw", id="resnet8 symmetric"),
        pytest.param(RESNET8, CIFAR, (32, 32, 3), "imagenet", "raw", id="resnet8 imagenet"),
        pytest.param(VWW_FLOAT, VWW, (96, 96, 3), "unit", None, id="vww unit is right"),
        pytest.param(VWW_FLOAT, VWW, (96, 96, 3), "raw", "unit", id="vww raw"),
        pytest.param(LSTM, MNIST, (28, 28), "unit", None, id="mnist lstm unit is right"),
        pytest.param(LSTM, MNIST, (28, 28), "symmetric", "unit", id="mnist lstm symmetric"),
        pytest.param(LSTM, MNIST, (28, 28), "raw", "unit", id="mnist lstm raw"),
    ],
)
def test_real_models_tell_right_from_wrong(
    real_models: Path,
    model: str,
    data: str,
    shape: tuple[int, ...],
    preprocess: str,
    likely: str | None,
) -> None:
    rows = rows_of(real_models / data, shape, preprocess)
    found = check(rows, parse(preprocess), litert((real_models / model).read_bytes()))
    if likely is None:
        assert found == []
    else:
        (problem,) = found
        assert problem.severity == "warning"
        assert f"trained on --preprocess {likely};" in problem.hint


def test_a_sound_model_on_rows_of_one_class_gives_no_alarm(
    real_models: Path, tmp_path: Path
) -> None:
    with np.load(real_models / CIFAR.rpartition(":")[0]) as data:
        np.savez(tmp_path / "d.npz", x=data["x"][data["y"] == 1])
    rows = rows_of(tmp_path / "d.npz:x", (32, 32, 3), "raw")
    assert check(rows, parse("raw"), litert((real_models / RESNET8).read_bytes())) == []


def test_raw_scores_that_tell_the_rows_apart_are_sound_however_far_apart(tmp_path: Path) -> None:
    x = np.eye(10, 12, dtype=np.uint8)[np.arange(40) % 10] * np.arange(200, 240)[:, None]
    np.savez(tmp_path / "d.npz", x=x)

    def scores(row: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return (row[0][:, :10] * 3 - 1,)

    def stuck(row: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        push = np.where(np.arange(10) == 4, row[0].sum() ** 2, 0)
        return (row[0][:, :10] * 3 + push,)

    rows = rows_of(tmp_path / "d.npz:x", (12,), "raw")
    assert check(rows, parse("raw"), scores) == []
    (problem,) = check(rows, parse("raw"), stuck)
    assert "the values look too large" in problem.message
    assert "trained on --preprocess unit" in problem.hint


def converted(path: Path) -> bytes:
    """The float flatbuffer of a Keras file."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2 as freeze,
    )

    from edgekit import _tf

    keras = _tf.keras3() if path.suffix == ".keras" else _tf.tf_keras()
    tf, model = _tf.tensorflow(), keras.models.load_model(path, compile=False)
    function = tf.function(lambda x: model(x, training=False), autograph=False)
    spec = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    frozen = freeze(
        function.get_concrete_function(spec), lower_control_flow=False, aggressive_inlining=True
    )
    converter: bytes = tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert()
    return converter


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "data", "shape", "right", "wrong"),
    [
        pytest.param(
            "mnist_keras3/mnist_cnn.keras", MNIST, (28, 28, 1), "unit", ["raw"], id="mnist"
        ),
        pytest.param(
            "kws_dscnn/kws_ref_model_from_savedmodel.h5",
            KWS,
            (49, 10, 1),
            "scale=0.5847,offset=-48.5301",
            ["raw", "unit", "scale=1/128"],
            id="kws",
        ),
    ],
)
def test_converted_models_tell_right_from_wrong(
    real_models: Path, model: str, data: str, shape: tuple[int, ...], right: str, wrong: list[str]
) -> None:
    predict = litert(converted(real_models / model))
    assert check(rows_of(real_models / data, shape, right), parse(right), predict) == []
    for text in wrong:
        (problem,) = check(rows_of(real_models / data, shape, text), parse(text), predict)
        assert problem.severity == "warning"
        assert f"trained on --preprocess {right[:10]}" in problem.hint
