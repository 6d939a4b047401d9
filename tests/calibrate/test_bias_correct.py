import numpy as np
import pytest
from small_nets import Net, as_model, rows_of

from edgekit.calibrate.bias_correct import bias_correct, means
from edgekit.graph.read import read
from edgekit.quantizers.base import QuantizeOptions, load

RNG = np.random.default_rng(0)
NET = (
    Net(6, 6, 3)
    .conv(RNG.normal(size=(8, 3, 3, 3)), RNG.normal(size=8))
    .conv(RNG.normal(size=(8, 3, 3, 8)), RNG.normal(size=8), activation=0)
    .mean()
    .dense(RNG.normal(size=(4, 8)), RNG.normal(size=4))
)
MODEL = as_model(NET.tflite())
ROWS = rows_of(np.abs(RNG.normal(size=(32, 6, 6, 3))))
LAYERS = ("CONV_2D", "FULLY_CONNECTED")


@pytest.fixture(scope="module")
def built() -> bytes:
    options = QuantizeOptions(
        per_channel=False,
        input_dtype="float32",
        output_dtype="float32",
        equalise="off",
        bias_correct="off",
    )
    return load("int8").quantize(MODEL, ROWS, options).tflite


def bias_error(tflite: bytes) -> list[float]:
    found = []
    for data in (MODEL.tflite, tflite):
        outputs = [op.outputs[0] for op in read(data).ops if op.name in LAYERS]
        found.append(means(data, outputs, ROWS, 32).values())
    return [float(np.abs(got - want).mean()) for want, got in zip(*found, strict=True)]


def test_the_mean_error_of_every_layer_falls(built: bytes) -> None:
    result = bias_correct(MODEL.tflite, built, ROWS)
    assert result.layers == 3
    before, after = bias_error(built), bias_error(result.tflite)
    assert len(before) == 3
    assert all(now < then / 2 for now, then in zip(after, before, strict=True))


def test_only_biases_change(built: bytes) -> None:
    before, after = read(built), read(bias_correct(MODEL.tflite, built, ROWS).tflite)
    changed = [
        one.dtype
        for one, other in zip(before.tensors, after.tensors, strict=True)
        if one.data is not None and not np.array_equal(one.data, other.data)
    ]
    assert changed == ["int32"] * 3


def test_a_layer_that_is_not_in_the_float_model_is_left_alone(built: bytes) -> None:
    other = as_model(Net(6, 6, 3).op("RELU", (1, 6, 6, 3)).mean().tflite())
    assert bias_correct(other.tflite, built, ROWS).tflite == built
