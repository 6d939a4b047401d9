import numpy as np
import pytest
from compressing import shared_dense
from small_nets import Net, as_model, rows_of, sqnr

from edgekit.errors import ModelError
from edgekit.graph.read import read
from edgekit.quantizers.base import QuantizeOptions, load

RNG = np.random.default_rng(0)
NET = Net(8, 8, 3).conv(RNG.normal(size=(8, 3, 3, 3))).mean().dense(RNG.normal(size=(4, 8)))
MODEL = as_model(NET.tflite())
ROWS = rows_of(RNG.normal(size=(20, 8, 8, 3)))


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_activations_are_int16_weights_int8_biases_int64(dtype: str) -> None:
    options = QuantizeOptions(input_dtype=dtype, output_dtype=dtype)
    result = load("int16x8").quantize(MODEL, ROWS, options)
    graph = read(result.tflite)
    conv = next(op for op in graph.ops if op.name == "CONV_2D")
    assert [graph.tensors[i].dtype for i in conv.inputs] == ["int16", "int8", "int64"]
    assert (graph.input_tensors()[0].dtype, graph.output_tensors()[0].dtype) == (dtype, dtype)
    assert sqnr(MODEL.tflite, result.tflite, ROWS) > 40
    assert result.problems == ()


def test_estimators_and_corrections_are_not_applied_and_that_is_said() -> None:
    options = QuantizeOptions(estimator="mse", bias_correct="on")
    (problem,) = load("int16x8").quantize(MODEL, ROWS, options).problems
    assert "estimator mse, bias_correct" in problem.message


def test_an_op_without_int16_kernel_is_named() -> None:
    net = Net(8).op("ELU", (1, 8)).dense(RNG.normal(size=(3, 8)))
    with pytest.raises(ModelError, match="int16x8 quantizer does not take"):
        load("int16x8").quantize(as_model(net.tflite()), rows_of(np.eye(8)), QuantizeOptions())


def test_channels_with_neither_weights_nor_bias_have_a_scale_above_zero() -> None:
    conv, dense = RNG.normal(size=(8, 3, 3, 3)), RNG.normal(size=(4, 8))
    conv[2], dense[1] = 0, 0
    model = as_model(Net(8, 8, 3).conv(conv, np.zeros(8)).mean().dense(dense, np.zeros(4)).tflite())
    built = load("int16x8").quantize(model, ROWS, QuantizeOptions()).tflite
    scales = [t.quantization.scale for t in read(built).tensors if t.quantization is not None]
    assert all((scale > 0).all() for scale in scales)
    assert sqnr(model.tflite, built, ROWS) > 40


def test_a_layer_called_twice_has_a_bias_for_each_input_scale() -> None:
    model, rows = as_model(shared_dense()), rows_of(RNG.normal(size=(20, 8)))
    built = load("int16x8").quantize(model, rows, QuantizeOptions()).tflite
    assert sqnr(model.tflite, built, rows) > 35


def test_the_same_bytes_twice() -> None:
    built = {load("int16x8").quantize(MODEL, ROWS, QuantizeOptions()).tflite for _ in range(2)}
    assert len(built) == 1
