"""One function in, one flatbuffer out: names, order, silence, errors in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit import _tf
from edgekit._converter_errors import converter_error, one_line
from edgekit.convert import Function, concrete, float_tflite
from edgekit.errors import ModelError
from edgekit.graph.read import read
from edgekit.importers.base import specs
from edgekit.model import TensorSpec
from edgekit.runtimes.litert import LiteRT


def spec(name: str, shape: tuple[int, ...] = (1, 3), dtype: str = "float32") -> TensorSpec:
    return TensorSpec(name, shape, dtype)


def test_inputs_and_outputs_keep_names_and_order() -> None:
    function = Function(
        lambda z, a: [a - z, z * 2.0], (spec("zed"), spec("ace")), ("minus", "double")
    )
    data = float_tflite(function)
    inputs, outputs = specs(read(data))
    assert [i.name for i in inputs] == ["zed", "ace"]
    assert [o.name for o in outputs] == ["minus", "double"]
    zed, ace = np.full((1, 3), 5, np.float32), np.full((1, 3), 7, np.float32)
    with LiteRT(data) as runtime:
        minus, double = runtime.run((zed, ace))
    assert (minus[0, 0], double[0, 0]) == (2.0, 10.0)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("my input", "my_input"),
        ("input:0", "input_0"),
        ("_private", "t_private"),
        ("größe", "gr__e"),
        ("", "tensor"),
    ],
)
def test_names_become_valid_for_tensorflow(name: str, given: str) -> None:
    function = Function(lambda x: [x + 1.0], (spec(name),), ("y",))
    assert specs(read(float_tflite(function)))[0][0].name == given


def test_equal_names_are_told_apart() -> None:
    function = Function(lambda x: [x + 1.0, x * 2.0], (spec("x"),), ("x", "x"))
    inputs, outputs = specs(read(float_tflite(function)))
    assert [t.name for t in (*inputs, *outputs)] == ["x", "x_1", "x_2"]


def test_an_output_that_is_the_input_itself() -> None:
    function = Function(lambda x: [x, x + 1.0], (spec("x"),), ("same", "more"))
    with LiteRT(float_tflite(function)) as runtime:
        same, more = runtime.run((np.ones((1, 3), np.float32),))
    assert (same[0, 0], more[0, 0]) == (1.0, 2.0)


def test_an_input_that_nothing_uses_stays() -> None:
    function = Function(lambda x, unused: [x + 1.0], (spec("x"), spec("unused")), ("y",))
    inputs, _ = specs(read(float_tflite(function)))
    assert [i.name for i in inputs] == ["x", "unused"]


def test_a_concrete_function_feeds_the_converters_other_modes() -> None:
    tf, weight = _tf.tensorflow(), np.ones((64, 64), np.float32)
    function = Function(lambda x: [x @ weight], (spec("x", (1, 64)),), ("y",))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete(function)])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    with _tf.silent():
        half = converter.convert()
    assert len(half) < 0.7 * len(float_tflite(function))


def test_a_keras_model_can_be_given_itself() -> None:
    keras = _tf.keras3()
    net = keras.Sequential([keras.layers.Input((4,), name="x"), keras.layers.Dense(2, name="y")])
    inputs, outputs = specs(read(float_tflite(net)))
    assert (inputs[0].name, outputs[0].name) == ("x", "y")


def test_an_unsupported_op_is_named_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    tf = _tf.tensorflow()

    def call(x: Any) -> list[Any]:
        with tf.name_scope("model"), tf.name_scope("strange"):
            return [tf.math.real(tf.signal.fft2d(tf.cast(x, tf.complex64)))]

    capfd.readouterr()
    with pytest.raises(ModelError, match=r"LiteRT has no builtin op for FFT2D") as e:
        float_tflite(Function(call, (spec("x", (1, 4, 4)),), ("y",)))
    assert "'strange'" in e.value.message
    assert "\n" not in e.value.message
    assert len(e.value.message) < 200
    assert capfd.readouterr() == ("", "")


def test_a_function_that_fails_with_batch_1_is_refused() -> None:
    def call(x: Any) -> list[Any]:
        return [_tf.tensorflow().reshape(x, (8, 3))]

    with pytest.raises(ModelError, match="does not run with batch 1"):
        float_tflite(Function(call, (spec("x"),), ("y",)))


def test_other_converter_errors_are_cut_to_a_line() -> None:
    error = converter_error(RuntimeError("first line\n" + "%0 = mlir\n" * 200))
    assert error.message.endswith("first line")
    assert len(one_line(ValueError("x" * 1000))) == 240
    assert one_line(ValueError()) == "ValueError"


BACKEND = """
from edgekit import _tf
keras = _tf.keras3()
print(keras.backend.backend())
"""


def test_another_keras_backend_of_the_user_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    settings = {**os.environ, "KERAS_BACKEND": "jax", "KERAS_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", BACKEND], env=settings, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["tensorflow"]
    assert done.stderr == ""


@pytest.mark.parametrize("fails", [False, True], ids=["works", "fails"])
def test_silence_covers_python_and_c(capfd: pytest.CaptureFixture[str], fails: bool) -> None:
    def work() -> None:
        with _tf.silent():
            print("python")
            print("python", file=sys.stderr)
            os.write(1, b"c")
            os.write(2, b"c")
            if fails:
                raise ValueError

    if fails:
        with pytest.raises(ValueError, match=r"^$"):
            work()
    else:
        work()
    assert capfd.readouterr() == ("", "")
