"""Against the TensorFlow converter on a Keras model with every op that takes part."""

from typing import Any

import numpy as np
import pytest
from small_nets import Net, as_model, rows_of, sqnr

from edgekit import _tf
from edgekit.convert import concrete, float_tflite
from edgekit.graph.read import read
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.quantizers.dynamic import quantize_weights

ROWS = rows_of(np.random.default_rng(1).normal(size=(10, 16, 16, 3)))


@pytest.fixture(scope="module")
def keras_model() -> Any:
    keras = _tf.keras3()
    keras.utils.set_random_seed(0)
    layers = keras.layers
    entry = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(32, 3, activation="relu", padding="same")(entry)
    x = layers.DepthwiseConv2D(7, padding="same", activation="relu6")(x)
    x = layers.PReLU(shared_axes=[1, 2], alpha_initializer="ones")(layers.Conv2D(64, 1)(x))
    x = layers.Conv2DTranspose(32, 3, strides=2, padding="same")(
        x * np.linspace(1, 2, 64, dtype=np.float32)
    )
    x = layers.Dense(64, activation="relu")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(entry, layers.Dense(10, activation="softmax")(x))


def converted(model: Any, half: bool = False, per_tensor_dense: bool = False) -> bytes:
    tf = _tf.tensorflow()
    with _tf.silent():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete(model)])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if half:
            converter.target_spec.supported_types = [tf.float16]
        converter._experimental_disable_per_channel_quantization_for_dense_layers = per_tensor_dense
        return bytes(converter.convert())


def build(model: Any, name: str, **options: Any) -> bytes:
    made = as_model(float_tflite(model))
    return load(name).quantize(made, ROWS, QuantizeOptions(**options)).tflite


def signatures(tflite: bytes) -> list[Any]:
    """Ops with what they read, without the order in which constants are unpacked."""
    graph = read(tflite)

    def inputs(op: Any) -> tuple[Any, ...]:
        return tuple((graph.tensors[i].dtype, graph.tensors[i].shape) for i in op.inputs if i >= 0)

    ops = [(op.name, inputs(op)) for op in graph.ops if op.name != "DEQUANTIZE"]
    return [*ops, *sorted((op.name, inputs(op)) for op in graph.ops if op.name == "DEQUANTIZE")]


def weights(tflite: bytes, dtype: str) -> list[tuple[Any, ...]]:
    """Quantized constants with their scales, in an order of their own."""
    found = [tensor for tensor in read(tflite).tensors if tensor.data is not None]
    return sorted(
        (tensor.shape, tensor.data.tobytes(), tensor.quantization and tensor.quantization.axis)
        for tensor in found
        if tensor.dtype == dtype
    )


def test_float16_has_the_ops_and_constants_of_the_converter(keras_model: Any) -> None:
    ours, theirs = build(keras_model, "float16"), converted(keras_model, half=True)
    assert signatures(ours) == signatures(theirs)
    assert weights(ours, "float16") == weights(theirs, "float16")
    assert abs(len(ours) - len(theirs)) < 2000
    assert sqnr(float_tflite(keras_model), ours, ROWS) > 50


def test_float16_keeps_what_does_not_fit_and_says_so() -> None:
    net = Net(2).dense(np.array([[1e5, 0.0]])).dense(np.array([[1e-5]]))
    model = as_model(net.tflite())
    result = load("float16").quantize(model, ROWS, QuantizeOptions())
    assert "w0" in result.problems[0].message
    assert sqnr(model.tflite, result.tflite, rows_of(np.ones((3, 2)))) > 50


@pytest.mark.parametrize("per_tensor", [False, True], ids=["per channel", "dense per tensor"])
def test_dynamic_has_the_ops_and_weights_of_the_converter(
    keras_model: Any, per_tensor: bool
) -> None:
    ours = build(keras_model, "dynamic", disable_per_channel_dense=per_tensor)
    theirs = converted(keras_model, per_tensor_dense=per_tensor)
    assert signatures(ours) == signatures(theirs)
    assert weights(ours, "int8") == weights(theirs, "int8")
    versions = {op.name: op.version for op in read(ours).ops if _hybrid(ours, op)}
    assert versions == {op.name: op.version for op in read(theirs).ops if _hybrid(theirs, op)}
    assert versions["FULLY_CONNECTED"] == (9 if per_tensor else 12)
    assert abs(len(ours) - len(theirs)) < 2000
    assert sqnr(float_tflite(keras_model), ours, ROWS) > 30


def _hybrid(tflite: bytes, op: Any) -> bool:
    graph = read(tflite)
    return any(graph.tensors[i].dtype == "int8" for i in op.inputs if i >= 0)


def test_weights_are_symmetric_and_each_channel_uses_its_range() -> None:
    values, scale = quantize_weights(np.array([[1.0, -2.0], [0.0, 0.0]], np.float32), axis=0)
    assert values.tolist() == [[64, -127], [0, 0]]
    np.testing.assert_allclose(scale, [2 / 127, 1.0])


@pytest.mark.parametrize("name", ["float16", "dynamic"])
def test_the_same_bytes_twice_without_calibration_rows(name: str, keras_model: Any) -> None:
    model = as_model(float_tflite(keras_model))

    def never() -> Any:
        raise AssertionError("needs no data")

    built = {load(name).quantize(model, never, QuantizeOptions()).tflite for _ in range(2)}
    assert len(built) == 1


@pytest.mark.parametrize("name", ["float16", "dynamic"])
def test_buffers_are_aligned_for_vector_loads(name: str, keras_model: Any) -> None:
    tflite = build(keras_model, name)
    start = np.frombuffer(tflite, np.uint8).ctypes.data
    constants = [t.data for t in read(tflite).tensors if t.data is not None]
    assert constants
    assert {(data.ctypes.data - start) % 16 for data in constants} == {0}
