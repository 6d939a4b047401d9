"""Weights of 4 bits: what LiteRT runs, and what it computes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from small_nets import NONE, Net, as_model, rows_of, sqnr

from edgekit.graph import edit
from edgekit.graph.read import read
from edgekit.model import Learned, Model
from edgekit.quantizers.base import Quantized, QuantizeOptions, load
from edgekit.quantizers.int4 import pack
from edgekit.runtimes.base import Row, open_runtime

RNG = np.random.default_rng(3)
ROWS = rows_of(RNG.normal(size=(16, 6, 6, 5)))
KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def model(trained: bool = False) -> Model:
    """conv (an odd number of weights), depthwise, mean, dense; or all of them on 4 bits."""
    kernels = [RNG.normal(size=(7, 3, 3, 5)), RNG.normal(size=(1, 3, 3, 7))]
    kernels.append(RNG.normal(size=(9, 7)))
    axes, steps = (0, 3, 0), []
    for place, axis in enumerate(axes):
        step = RNG.uniform(0.05, 0.3, kernels[place].shape[axis]).astype(np.float32)
        along = step.reshape([-1 if at == axis else 1 for at in range(kernels[place].ndim)])
        if trained:
            kernels[place] = RNG.integers(-7, 8, kernels[place].shape) * along
        steps.append(step)
    net = Net(6, 6, 5).conv(kernels[0], RNG.normal(size=7))
    net.depthwise(kernels[1], RNG.normal(size=7)).mean()
    tflite = net.dense(kernels[2], RNG.normal(size=9), NONE).tflite()
    ops = [op for op in read(tflite).ops if op.name in KINDS]
    scales = {op.inputs[1]: step for op, step in zip(ops, steps, strict=True)}
    return dataclasses.replace(as_model(tflite), learned=Learned({}, scales if trained else {}))


def types(tflite: bytes) -> dict[str, str]:
    graph = read(tflite)
    return {op.name: graph.tensors[op.inputs[1]].dtype for op in graph.ops if op.name in KINDS}


def widened(tflite: bytes) -> bytes:
    """The same file with its weights in 8 bits."""
    graph, made = read(tflite), edit.unpack(tflite)
    for tensor in graph.tensors:
        if tensor.dtype == "int4":
            edit.set_constant(made, made.subgraphs[0].tensors[tensor.index], tensor.data)
    return edit.pack(made)


def outputs(tflite: bytes, runtime: str) -> Iterator[Row]:
    graph = read(tflite)
    low, high = -128, 128
    some = np.random.default_rng(0)
    opened = open_runtime(runtime, tflite)
    for _ in range(8):
        shape = graph.tensors[graph.inputs[0]].shape
        yield opened.run((some.integers(low, high, shape).astype(np.int8),))


@pytest.fixture(scope="module")
def trained() -> tuple[Model, Quantized]:
    given = model(trained=True)
    return given, load("int4").quantize(given, ROWS, QuantizeOptions())


def test_what_was_trained_for_4_bits_is_stored_as_it_is(
    trained: tuple[Model, Quantized],
) -> None:
    given, built = trained
    assert types(built.tflite) == dict.fromkeys(KINDS, "int4")
    assert built.problems == ()
    before, after = read(given.tflite), read(built.tflite)
    for left, right in zip(before.ops, after.ops, strict=True):
        if left.name in KINDS:
            steps = given.learned.weight_scales[left.inputs[1]]
            found = after.tensors[right.inputs[1]]
            assert found.quantization is not None
            np.testing.assert_allclose(found.quantization.scale, steps, rtol=1e-6)
            assert found.data is not None
            along = steps.reshape([-1 if n == len(steps) else 1 for n in found.shape])
            kernel = np.asarray(before.tensors[left.inputs[1]].data)
            np.testing.assert_array_equal(found.data, np.round(kernel / along))


@pytest.mark.parametrize(("runtime", "apart"), [("litert", 1), ("litert-reference", 0)])
def test_litert_computes_the_same_as_with_8_bits(
    trained: tuple[Model, Quantized], runtime: str, apart: int
) -> None:
    """But for how its fast int8 kernels round, which there are none of for int4."""
    built = trained[1].tflite
    assert len(built) < len(widened(built))
    pairs = zip(outputs(built, runtime), outputs(widened(built), runtime), strict=True)
    for four, eight in pairs:
        np.testing.assert_allclose(four[0], eight[0], rtol=0, atol=apart)


def test_other_weights_are_rounded_but_for_depthwise_ones() -> None:
    given = model()
    built = load("int4").quantize(given, ROWS, QuantizeOptions())
    assert types(built.tflite) == {
        "CONV_2D": "int4",
        "DEPTHWISE_CONV_2D": "int8",
        "FULLY_CONNECTED": "int4",
    }
    (note,) = built.problems
    assert note.message == "int4 leaves 8 bits to y1"
    assert sqnr(given.tflite, built.tflite, ROWS) > 10


def test_one_scale_for_a_dense_layer_where_runtimes_need_it() -> None:
    options = QuantizeOptions(disable_per_channel_dense=True)
    built = load("int4").quantize(model(), ROWS, options)
    graph = read(built.tflite)
    dense = next(op for op in graph.ops if op.name == "FULLY_CONNECTED")
    kernel = graph.tensors[dense.inputs[1]]
    assert kernel.dtype == "int4"
    assert kernel.quantization is not None
    assert len(kernel.quantization.scale) == 1


def test_kernels_of_more_bits_are_named() -> None:
    built = load("int8").quantize(model(), ROWS, QuantizeOptions()).tflite
    packed, left = pack(built)
    assert len(left) == 3
    assert types(packed) == dict.fromkeys(KINDS, "int8")
