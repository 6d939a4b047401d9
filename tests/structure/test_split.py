"""Layers in parts compute what the product of their kernels computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hand_made import O, T, flatbuffer
from small_nets import NONE, RELU, Net

from edgekit.bridge.names import layer_names
from edgekit.graph.read import read
from edgekit.runtimes.litert import LiteRT
from edgekit.structure.split import Parts, split

RANDOM = np.random.default_rng(0)


def run(tflite: bytes, rows: int = 3) -> np.ndarray:
    random = np.random.default_rng(1)
    shape = read(tflite).input_tensors()[0].shape
    inputs = random.normal(size=(rows, *shape)).astype(np.float32)
    with LiteRT(tflite) as runtime:
        return np.stack([runtime.run((row,))[0] for row in inputs])


def conv(kernel: np.ndarray, bias: bool = True, **options: Any) -> bytes:
    """A CONV_2D of [out, h, w, in] over 9 x 8 places, with a RELU6."""
    told = {"strideW": 1, "strideH": 1, "fusedActivationFunction": 3, "padding": 0} | options
    channels, height, width, inputs = kernel.shape
    span = [
        (size - 1) * told.get(f"dilation{axis}Factor", 1) + 1
        for axis, size in (("H", height), ("W", width))
    ]
    valid = told["padding"] == 1
    places = [
        -(-(size - (reach - 1) * valid) // told[f"stride{axis}"])
        for axis, size, reach in zip("HW", (9, 8), span, strict=True)
    ]
    tensors = [T("x", (1, 9, 8, inputs)), T("w", kernel.shape, data=kernel.astype(np.float32))]
    if bias:
        tensors.append(T("b", (channels,), data=RANDOM.normal(size=channels).astype(np.float32)))
    tensors.append(T("y", (1, *places, channels)))
    last = len(tensors) - 1
    op = O("CONV_2D", tuple(range(last)), (last,), ("Conv2DOptions", told))
    return flatbuffer(tensors, [op], (0,), (last,))


WINDOWS = {
    "channel": ((3, 3), (1, 1)),
    "spatial": ((3, 1), (1, 3)),
    "input": ((1, 1), (3, 3)),
}
OPTIONS = {
    "plain": {},
    "strides": {"strideH": 2, "strideW": 3},
    "valid": {"padding": 1},
    "valid, strides": {"padding": 1, "strideH": 2, "strideW": 1},
    "dilations": {"dilationHFactor": 2, "dilationWFactor": 3},
}


def parts(first: tuple[int, int], second: tuple[int, int], beside: bool = False) -> Parts:
    rest = RANDOM.normal(size=(3, 3, 4, 6)) if beside else None
    return Parts(
        RANDOM.normal(size=(*first, 4, 2)),
        RANDOM.normal(size=(*second, 2, 6)),
        np.zeros(2),
        RANDOM.normal(size=6),
        rest,
    )


def product(each: Parts) -> np.ndarray:
    """The kernel [out, h, w, in] of a single layer."""
    whole = np.einsum("hwir,abro->ohawbi", each.first, each.second)
    outputs, height, rows, width, columns, inputs = whole.shape
    whole = whole.reshape(outputs, height * rows, width * columns, inputs)
    return whole if each.beside is None else whole + each.beside.transpose(3, 0, 1, 2)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("windows", WINDOWS)
@pytest.mark.parametrize("beside", [False, True])
def test_a_convolution_in_parts_is_the_convolution(
    windows: str, options: str, beside: bool
) -> None:
    each = parts(*WINDOWS[windows], beside)
    whole = conv(product(each), **OPTIONS[options])
    tflite, made = split(whole, {0: each})
    graph = read(tflite)
    assert graph.tensors[made[0].first].data is not None
    assert len(graph.ops) == (4 if beside else 2)
    biased = split(whole, {0: each})[0]
    wanted = run(with_bias(whole, each.bias))
    assert biased == tflite
    np.testing.assert_allclose(run(tflite), wanted, rtol=1e-4, atol=1e-4)
    assert [op.options["fused_activation_function"] for op in graph.ops] == [
        *["NONE"] * (len(graph.ops) - 1),
        "RELU6",
    ]


SEPARABLE = {name: options for name, options in OPTIONS.items() if "strides" not in name} | {
    "even strides": {"strideH": 2, "strideW": 2},
    "even strides, valid": {"strideH": 2, "strideW": 2, "padding": 1},
}


@pytest.mark.parametrize("options", SEPARABLE)
@pytest.mark.parametrize("multiplier", [1, 2])
def test_a_convolution_becomes_a_depthwise_one_and_one_of_1_x_1(
    multiplier: int, options: str
) -> None:
    own = np.zeros((3, 3, 4, 4 * multiplier))
    for channel in range(4 * multiplier):
        own[:, :, channel // multiplier, channel] = RANDOM.normal(size=(3, 3))
    second = RANDOM.normal(size=(1, 1, 4 * multiplier, 6))
    bias = RANDOM.normal(size=4 * multiplier)
    each = Parts(own, second, bias, RANDOM.normal(size=6), depthwise=True)
    tflite, made = split(conv(product(each), **SEPARABLE[options]), {0: each})
    wanted = with_bias(conv(product(each), **SEPARABLE[options]), each.bias + bias @ second[0, 0])
    np.testing.assert_allclose(run(tflite), run(wanted), rtol=1e-4, atol=1e-4)
    graph = read(tflite)
    assert [op.name for op in graph.ops] == ["DEPTHWISE_CONV_2D", "CONV_2D"]
    assert graph.tensors[made[0].first].shape == (1, 3, 3, 4 * multiplier)
    assert "_depthwise" in next(iter(layer_names(graph).values()))


def with_bias(tflite: bytes, bias: np.ndarray) -> bytes:
    from edgekit.graph import edit

    model = edit.unpack(tflite)
    edit.set_constant(model, model.subgraphs[0].tensors[2], bias.astype(np.float32))
    return edit.pack(model)


@pytest.mark.parametrize("windows", [((1, 1), (1, 1)), ((1, 3), (1, 1)), ((1, 1), (1, 3))])
def test_thin_windows_and_no_bias(windows: Any) -> None:
    each = parts(*windows)
    kernel = product(each)
    whole = conv(kernel, bias=False, strideH=2, strideW=2)
    tflite, _ = split(whole, {0: each})
    np.testing.assert_allclose(
        run(tflite), run(with_bias(conv(kernel, strideH=2, strideW=2), each.bias)), 1e-4, 1e-4
    )


def test_tensors_keep_their_indices_and_layers_their_names() -> None:
    net = Net(6).dense(RANDOM.normal(size=(5, 6)), RANDOM.normal(size=5), RELU)
    tflite = net.dense(RANDOM.normal(size=(4, 5)), activation=NONE).tflite()
    first, second = RANDOM.normal(size=(1, 1, 6, 2)), RANDOM.normal(size=(1, 1, 2, 5))
    small, made = split(tflite, {0: Parts(first, second, np.ones(2), np.ones(5))})
    before, after = read(tflite), read(small)
    assert [t.name for t in after.tensors[: len(before.tensors)]] == [
        t.name for t in before.tensors
    ]
    assert list(layer_names(after).values()) == ["y0_first", "y0", "y1"]
    assert after.tensors[made[0].first].shape == (2, 6)
    assert after.tensors[made[0].second].shape == (5, 2)
    wanted = run(tflite)
    assert run(small).shape == wanted.shape


def test_who_shares_a_kernel_keeps_it() -> None:
    import compressing

    tflite = compressing.shared_dense()
    first, second = RANDOM.normal(size=(1, 1, 8, 2)), RANDOM.normal(size=(1, 1, 2, 8))
    small, made = split(tflite, {0: Parts(first, second, np.zeros(2), np.zeros(8))})
    before, after = read(tflite), read(small)
    other = after.ops[-1].inputs[1]
    assert other not in (made[0].first, made[0].second)
    np.testing.assert_array_equal(
        np.asarray(after.tensors[other].data), np.asarray(before.tensors[1].data)
    )
