"""Clustered kernels keep one integer code book over all channels, in every integer format."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from small_nets import NONE, Net, as_model, rows_of, sqnr

from edgekit.affine import dequantise
from edgekit.graph.graph import Tensor
from edgekit.graph.read import read
from edgekit.model import Learned, Model
from edgekit.quantizers.base import Quantized, QuantizeOptions, load

RNG = np.random.default_rng(3)
CODES = np.array([-1.0, -0.37, 0.0, 0.21, 0.64])
ROWS = rows_of(RNG.normal(size=(16, 6, 6, 8)))


def clustered(*shape: int, axis: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A kernel of factor x code, and the int8 scales that show it."""
    factor = np.exp(RNG.uniform(-2, 2, shape[axis])).astype(np.float32)
    along = factor.reshape([-1 if place == axis else 1 for place in range(len(shape))])
    codes = RNG.choice(CODES, shape).astype(np.float32)
    odd = (np.arange(shape[axis]) % 2 == 1).reshape(along.shape)
    codes[(codes == CODES[0]) & odd] = CODES[1]  # not every channel has the largest code
    return along * codes, factor / np.float32(127)


def model(uniform_dense: bool = False) -> Model:
    """conv (clustered), depthwise (free), mean, dense (clustered); scales by tensor index."""
    conv, conv_scales = clustered(12, 3, 3, 8)
    dense, dense_scales = clustered(90, 12)
    if uniform_dense:
        dense, dense_scales = dense / dense_scales[:, None] * 0.01, np.full(90, 0.01, np.float32)
    net = Net(6, 6, 8).conv(conv, RNG.normal(size=12))
    net.depthwise(RNG.normal(size=(1, 3, 3, 12)), RNG.normal(size=12))
    tflite = net.mean().dense(dense, RNG.normal(size=90), NONE).tflite()
    first, *_, last = read(tflite).ops
    scales = {first.inputs[1]: conv_scales, last.inputs[1]: dense_scales}
    return dataclasses.replace(as_model(tflite), learned=Learned({}, scales))


def quantized(given: Model, scheme: str, **options: Any) -> Quantized:
    return load(scheme).quantize(given, ROWS, QuantizeOptions(**options))


def kernels(tflite: bytes) -> list[Tensor]:
    """Of conv, depthwise and dense."""
    graph = read(tflite)
    kinds = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    return [graph.tensors[op.inputs[1]] for op in graph.ops if op.name in kinds]


@pytest.mark.parametrize(
    ("scheme", "options", "least_db"),
    [
        pytest.param("int8", {}, 30, id="int8"),
        pytest.param("int8", {"output_dtype": "float32", "input_dtype": "float32"}, 30, id="float"),
        pytest.param("int8", {"bias_correct": "on"}, 30, id="bias correction"),
        pytest.param("int16x8", {}, 35, id="int16x8"),
        pytest.param("dynamic", {}, 30, id="dynamic"),
    ],
)
def test_all_channels_share_the_integers(
    scheme: str, options: dict[str, Any], least_db: float
) -> None:
    given = model()
    made = quantized(given, scheme, **options)
    conv, depthwise, dense = kernels(made.tflite)
    wanted = set(np.round(CODES * 127).astype(int))
    sizes = [tensor for tensor in (conv, dense) if tensor.elements >= 1024 or scheme != "dynamic"]
    for tensor in sizes:
        assert set(np.unique(tensor.data)) == wanted
    assert depthwise.dtype == "float32" or len(np.unique(depthwise.data)) > len(CODES)
    assert sqnr(given.tflite, made.tflite, ROWS) > least_db


def test_kernels_and_biases_mean_what_they_meant() -> None:
    given = model()
    left, right = read(given.tflite), read(quantized(given, "int8").tflite)
    for mine, theirs in zip(left.ops, right.ops, strict=True):
        for place, slack in ((1, 0.5), (2, 0.5)):
            if mine.name == "MEAN":
                continue
            wanted = left.tensors[mine.inputs[place]].data
            tensor = right.tensors[theirs.inputs[place]]
            scale = tensor.quantization.scale.reshape(
                [-1 if axis == tensor.quantization.axis else 1 for axis in range(wanted.ndim)]
            )
            assert (np.abs(dequantise(tensor.data, tensor) - wanted) <= 1.01 * slack * scale).all()


def test_without_scales_the_channels_have_integers_of_their_own() -> None:
    given = dataclasses.replace(model(), learned=Learned())
    conv, _, _ = kernels(quantized(given, "int8", equalise="off").tflite)
    assert len(np.unique(conv.data)) > len(CODES)


def test_runtimes_without_per_channel_dense_get_one_scale() -> None:
    one = quantized(model(uniform_dense=True), "int8", disable_per_channel_dense=True)
    for tflite, count in (
        (quantized(model(), "int8", disable_per_channel_dense=True).tflite, None),
        (one.tflite, len(CODES)),
    ):
        *_, dense = kernels(tflite)
        assert dense.quantization.scale.size == 1
        (op,) = [op for op in read(tflite).ops if op.name == "FULLY_CONNECTED"]
        assert op.version < 12
        assert count is None or len(np.unique(dense.data)) == count


def test_one_scale_a_tensor_loses_the_books_and_says_so() -> None:
    made = quantized(model(), "int8", per_channel=False)
    (problem,) = made.problems
    assert problem.severity == "warning"
    assert "lose their code books" in problem.message


def test_equalisation_asked_for_is_refused_in_words() -> None:
    made = quantized(model(), "int8", equalise="on")
    (problem,) = made.problems
    assert "equalise not applied" in problem.message
    assert "equalise" not in made.effects
