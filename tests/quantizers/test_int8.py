import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_made import O, T, flatbuffer
from small_nets import Net, Rows, as_model, rows_of, sqnr

from edgekit import _tf
from edgekit.convert import concrete, float_tflite
from edgekit.errors import DataError, ModelError
from edgekit.graph.read import read
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.runtimes.base import run_float
from edgekit.runtimes.litert import LiteRT

RNG = np.random.default_rng(0)
SMALL = (
    Net(8, 8, 3)
    .conv(RNG.normal(size=(8, 3, 3, 3)))
    .depthwise(RNG.normal(size=(1, 3, 3, 8)))
    .mean()
    .dense(RNG.normal(size=(4, 8)))
)
MODEL = as_model(SMALL.tflite())
ROWS = rows_of(RNG.normal(size=(20, 8, 8, 3)))


def int8(tflite: bytes, rows: Rows, **options: Any) -> Any:
    """Quantized without corrections unless they are asked for."""
    options = {"equalise": "off", "bias_correct": "off", **options}
    return load("int8").quantize(as_model(tflite), rows, QuantizeOptions(**options))


def digest(tflite: bytes) -> str:
    return hashlib.sha256(tflite).hexdigest()


def scales(tflite: bytes) -> dict[str, tuple[list[float], list[int]]]:
    return {
        tensor.name: (tensor.quantization.scale.tolist(), tensor.quantization.zero_point.tolist())
        for tensor in read(tflite).tensors
        if tensor.quantization is not None
    }


def converted(model: Any, rows: Rows) -> bytes:
    """What TFLiteConverter itself makes of a Keras model and the same samples."""
    tf = _tf.tensorflow()
    with _tf.silent():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete(model)])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (list(row) for row in rows())
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        return bytes(converter.convert())


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param("ic_resnet8/pretrainedResnet.h5", "tf_keras", id="resnet8"),
        pytest.param("kws_dscnn/kws_ref_model_from_savedmodel.h5", "tf_keras", id="ds-cnn"),
        pytest.param("vww_mobilenetv1/vww_96.h5", "tf_keras", id="mobilenet"),
        pytest.param("mnist_keras3/mnist_cnn.keras", "keras3", id="keras 3 cnn"),
    ],
)
def test_minmax_gives_what_the_converter_gives(real_models: Path, path: str, kind: str) -> None:
    keras = getattr(_tf, kind)()
    model = keras.models.load_model(real_models / path, compile=False)
    rng = np.random.default_rng(0)
    rows = rows_of(rng.normal(size=(10, *model.input_shape[1:])))
    ours = int8(float_tflite(model), rows)
    theirs = converted(model, rows)
    assert [(op.name, op.version) for op in read(ours.tflite).ops] == [
        (op.name, op.version) for op in read(theirs).ops
    ]
    assert scales(ours.tflite) == scales(theirs)
    assert abs(len(ours.tflite) - len(theirs)) < 1000
    assert ours.estimator == "minmax"
    assert (ours.effects, ours.problems) == ({}, ())


@pytest.mark.parametrize("given", ["int8", "uint8", "float32"])
@pytest.mark.parametrize("result", ["int8", "uint8", "float32"])
def test_inputs_and_outputs_get_the_types_asked_for(given: str, result: str) -> None:
    built = int8(MODEL.tflite, ROWS, input_dtype=given, output_dtype=result)
    graph = read(built.tflite)
    assert graph.input_tensors()[0].dtype == given
    assert graph.output_tensors()[0].dtype == result
    assert sqnr(MODEL.tflite, built.tflite, ROWS) > 25


def test_one_scale_per_tensor_where_asked_for() -> None:
    counts = {
        flag: max(len(scale) for scale, _ in scales(built.tflite).values())
        for flag in (True, False)
        for built in [int8(MODEL.tflite, ROWS, per_channel=flag)]
    }
    assert counts == {True: 8, False: 1}


@pytest.mark.parametrize("estimator", ["minmax", "percentile", "mse", "entropy"])
def test_every_estimator_stays_close_to_the_float_model(estimator: str) -> None:
    built = int8(MODEL.tflite, ROWS, estimator=estimator)
    assert built.estimator == estimator
    assert sqnr(MODEL.tflite, built.tflite, ROWS) > 20


def test_ops_left_in_float_are_named() -> None:
    net = Net(8).dense(RNG.normal(size=(8, 8))).op("ELU", (1, 8)).dense(RNG.normal(size=(3, 8)))
    built = int8(net.tflite(), rows_of(RNG.normal(size=(9, 8))))
    (problem,) = built.problems
    assert problem.severity == "warning"
    assert "ELU 'y1'" in problem.message


def test_a_divisor_that_rounds_to_zero_does_not_stop_the_program() -> None:
    tensors = [T("x", (1, 4)), T("d", (1, 4)), T("y", (1, 4))]
    divide = O("DIV", (0, 1), (2,), ("DivOptions", {}))
    model = as_model(flatbuffer(tensors, [divide], (0, 1), (2,)))
    rows = [(np.ones((1, 4), np.float32), np.full((1, 4), d, np.float32)) for d in (0.001, 100)]
    options = QuantizeOptions(output_dtype="float32")
    built = load("int8").quantize(model, lambda: iter(rows), options)
    assert "DIV 'y'" in built.problems[0].message
    with LiteRT(built.tflite) as runtime:
        results = [y for (y,) in run_float(runtime, read(built.tflite), rows)]
    assert np.isinf(results[0]).all()  # 0.001 is 0 in int8; the next row is computed all the same
    np.testing.assert_allclose(results[1], 0.01, rtol=0.02)


def test_integer_inputs_stay_and_several_inputs_are_fed_in_order() -> None:
    model = as_model(_two_inputs())
    assert [spec.dtype for spec in model.inputs] == ["int32", "float32"]
    rows = [
        (RNG.integers(0, 20, (1, 4)).astype(np.float32), RNG.normal(size=(1, 5)).astype(np.float32))
        for _ in range(20)
    ]
    built = load("int8").quantize(model, lambda: iter(rows), QuantizeOptions(estimator="auto"))
    assert [tensor.dtype for tensor in read(built.tflite).input_tensors()] == ["int32", "int8"]
    assert sqnr(model.tflite, built.tflite, lambda: iter(rows)) > 20


def _two_inputs() -> bytes:
    keras = _tf.keras3()
    keras.utils.set_random_seed(0)
    ids = keras.Input((4,), dtype="int32", name="ids")
    extra = keras.Input((5,), name="values")
    pooled = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(20, 6)(ids))
    joined = keras.layers.Concatenate()([pooled, extra])
    return float_tflite(keras.Model([ids, extra], keras.layers.Dense(3)(joined)))


def test_an_unrolled_recurrent_layer_gives_the_same_integer_file_every_time() -> None:
    # TF's quantizer alone leaves one SPLIT in float about one time in three.
    keras = _tf.keras3()
    keras.utils.set_random_seed(0)
    entry = keras.Input((6, 4))
    body = keras.layers.LSTM(8, unroll=True)(entry)
    tflite = float_tflite(keras.Model(entry, keras.layers.Dense(3)(body)))
    rows = rows_of(RNG.normal(size=(10, 6, 4)))
    built = [int8(tflite, rows) for _ in range(6)]
    assert len({digest(result.tflite) for result in built}) == 1
    assert built[0].problems == ()


def test_a_loop_is_refused_by_name_before_the_calibrator_crashes() -> None:
    keras = _tf.keras3()
    entry = keras.Input((6, 4))
    tflite = float_tflite(keras.Model(entry, keras.layers.GRU(8)(entry)))
    with pytest.raises(ModelError, match=r"WHILE.*cannot be calibrated"):
        int8(tflite, rows_of(RNG.normal(size=(3, 6, 4))))


def test_a_custom_op_is_named() -> None:
    from hand_made import O, T, flatbuffer

    tensors = [T("x", (1, 4)), T("y", (1, 4))]
    tflite = flatbuffer(tensors, [O("CUSTOM", (0,), (1,), custom="MyOp")], (0,), (1,))
    with pytest.raises(ModelError, match="MyOp"):
        int8(tflite, rows_of(RNG.normal(size=(3, 4))))


@pytest.mark.parametrize("estimator", ["minmax", "auto"])
def test_no_rows_are_refused(estimator: str) -> None:
    with pytest.raises(DataError, match="no rows"):
        int8(MODEL.tflite, rows_of(np.zeros((0, 8, 8, 3))), estimator=estimator)


def test_min_max_takes_one_pass_over_the_data() -> None:
    passes = []

    def rows() -> Any:
        passes.append(1)
        return ROWS()

    int8(MODEL.tflite, rows)
    assert len(passes) == 1


@pytest.mark.parametrize("estimator", ["minmax", "auto"])
def test_the_same_bytes_twice(estimator: str) -> None:
    options = {"estimator": estimator, "bias_correct": "on", "equalise": "on"}
    assert int8(MODEL.tflite, ROWS, **options).tflite == int8(MODEL.tflite, ROWS, **options).tflite


def test_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_int8 import MODEL, ROWS, digest, int8\n"
        "for kind in ('minmax', 'mse'):\n"
        "    print(digest(int8(MODEL.tflite, ROWS, estimator=kind, bias_correct='on').tflite))"
    )
    here = Path(__file__).resolve().parent
    path = os.pathsep.join([str(here.parents[1]), str(here.parent)])
    found = subprocess.run(
        [sys.executable, "-c", code, str(here)],
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    ours = [
        digest(int8(MODEL.tflite, ROWS, estimator=kind, bias_correct="on").tflite)
        for kind in ("minmax", "mse")
    ]
    assert found.stdout.split() == ours


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    int8(MODEL.tflite, ROWS, estimator="auto")
    assert capfd.readouterr() == ("", "")
