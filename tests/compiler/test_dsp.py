"""Convolutions in runs and depthwise ones in planes, for cores with the DSP extension."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from c_project import check, compiled
from emulated import check_emulated
from made_tflite import Made, Step, build, conv_options, options

from edgekit.devices.qemu import Driver

emulator = pytest.mark.skipif(bool(Driver.needs.lacking()), reason="no emulator")
SHAPES = {
    # height, width, channels, kernel, stride, outputs, zero point of the outputs
    "rows of nine": (9, 11, 3, 3, 2, 8, -128),
    "rows of ten": (7, 9, 5, 2, 1, 7, -128),
    "rows of eleven": (6, 12, 1, 11, 1, 6, 4),
    "rows of three": (8, 8, 1, 3, 1, 5, -128),
    "rows of twenty": (5, 8, 4, 5, 1, 9, -9),
    "pixels of six": (5, 7, 6, 1, 1, 3, -128),
    "pixels of two": (4, 6, 2, 1, 1, 4, -128),
    "pixels of nineteen": (3, 5, 19, 1, 1, 10, 3),
}
PICTURES = {
    # height, width, channels, stride
    "eight outputs at a time": (7, 16, 9, 1),
    "four and a rest": (6, 7, 6, 1),
    "every second one": (9, 10, 5, 2),
    "strips": (60, 24, 8, 1),
    "strips of every second one": (61, 50, 4, 2),
    "fewer than four channels": (8, 9, 3, 1),
    "along the other side": (25, 5, 8, 1),
}


def convolution(name: str) -> bytes:
    """A convolution, and a depthwise one that reads it."""
    height, width, channels, kernel, stride, outputs, zero = SHAPES[name]
    rng = np.random.default_rng(len(name))
    flat, down = (0,) * outputs, [-(-size // stride) for size in (height, width)]
    weights = rng.integers(-127, 128, (outputs, kernel, kernel, channels)).astype(np.int8)
    bias = rng.integers(-3000, 3000, outputs).astype(np.int32)
    scale = 25.0 / (kernel * np.sqrt(channels) * 3000)
    tensors = [
        Made("in", (1, height, width, channels), "INT8", None, (0.05,), (-3,)),
        Made("w", weights.shape, "INT8", weights, tuple(scale * (1 + np.arange(outputs))), flat),
        Made("b", (outputs,), "INT32", bias, (0.001,) * outputs, flat),
        Made("out", (1, *down, outputs), "INT8", None, (0.06,), (zero,)),
    ]
    made = conv_options(strideW=stride, strideH=stride, padding=schema.Padding.SAME)
    return build(tensors, [Step("CONV_2D", (0, 1, 2), (3,), made, version=3)], (0,), (3,))


def picture(name: str, larger: int = 2) -> bytes:
    """A convolution of every `larger`th pixel and a depthwise one after it, cut off below zero."""
    height, width, channels, stride = PICTURES[name]
    rng = np.random.default_rng(len(name))
    flat, down = (0,) * channels, [-(-size // stride) for size in (height, width)]
    first = rng.integers(-127, 128, (channels, 1, 1, channels)).astype(np.int8)
    taps = rng.integers(-127, 128, (1, 3, 3, channels)).astype(np.int8)
    bias = rng.integers(-900, 900, channels).astype(np.int32)
    tensors = [
        Made("in", (1, height * larger, width * larger, channels), "INT8", None, (0.05,), (-3,)),
        Made("w0", first.shape, "INT8", first, (0.003,) * channels, flat),
        Made("b0", (channels,), "INT32", bias, (0.00015,) * channels, flat),
        Made("near", (1, height, width, channels), "INT8", None, (0.04,), (-128,)),
        Made("w1", taps.shape, "INT8", taps, (0.008,) * channels, flat, 3),
        Made("b1", (channels,), "INT32", bias, (0.00032,) * channels, flat),
        Made("out", (1, *down, channels), "INT8", None, (0.05,), (-128,)),
    ]
    every = conv_options(strideW=larger, strideH=larger)
    same = {"padding": schema.Padding.SAME, "strideW": stride, "strideH": stride}
    same["depthMultiplier"] = 1
    steps = [
        Step("CONV_2D", (0, 1, 2), (3,), every, version=3),
        Step("DEPTHWISE_CONV_2D", (3, 4, 5), (6,), options("DepthwiseConv2D", **same), version=3),
    ]
    return build(tensors, steps, (0,), (6,))


def test_in_c(tmp_path: Path) -> None:
    check([*map(convolution, SHAPES), *map(picture, PICTURES)], "cortex-m4", tmp_path)


@emulator
@pytest.mark.parametrize("name", SHAPES)
def test_runs_on_the_emulated_core(name: str, tmp_path: Path) -> None:
    check_emulated(convolution(name), "cortex-m4", tmp_path)


@emulator
@pytest.mark.parametrize("name", PICTURES)
def test_planes_on_the_emulated_core(name: str, tmp_path: Path) -> None:
    check_emulated(picture(name), "cortex-m4", tmp_path)


def test_kernels_are_those_that_the_layers_need() -> None:
    plain = compiled(picture("four and a rest"), "cortex-m4").text.kernels
    long = compiled(picture("eight outputs at a time"), "cortex-m4").text.kernels
    assert "#define EK_DEPTHWISE_3X3_LONG 1" in long
    assert "#define EK_DEPTHWISE_3X3_LONG 1" not in plain
    assert "#define EK_DEPTHWISE_3X3_ONE 1" in plain
    assert "#define EK_DEPTHWISE_FOUR 1" in plain
    assert (
        "#define EK_DEPTHWISE_FOUR 1"
        not in compiled(picture("fewer than four channels"), "cortex-m4").text.kernels
    )
