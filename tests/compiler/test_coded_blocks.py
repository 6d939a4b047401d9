"""Coded weights, four channels of many pixels at a time, for cores with the DSP extension."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from c_project import check, compiled
from emulated import check_emulated
from made_tflite import Made, Step, build, conv_options

from edgekit.compiler import compress_weights
from edgekit.devices.qemu import Driver

RELU6 = schema.ActivationFunctionType.RELU6
NONE = schema.ActivationFunctionType.NONE
emulator = pytest.mark.skipif(bool(Driver.needs.lacking()), reason="no emulator")
SHAPES = {
    # height, width, channels, kernel, stride, outputs, zero point of the outputs, activation
    "a last tile of one pixel": (9, 9, 64, 1, 1, 8, -128, NONE),
    "a last tile of one pixel, signed": (9, 9, 64, 1, 1, 8, 5, NONE),
    "an odd tile": (5, 5, 33, 1, 1, 12, -128, NONE),
    "pixels of six": (5, 7, 6, 1, 1, 4, 9, NONE),
    "one pixel": (1, 1, 70, 1, 1, 16, -7, NONE),
    "windows of 27": (7, 9, 3, 3, 2, 8, -128, NONE),
    "windows of 45": (8, 7, 5, 3, 1, 16, 3, NONE),
    "cut off at both ends": (7, 7, 20, 1, 1, 8, -90, RELU6),
}


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes wherever they can be."""
    monkeypatch.setattr(compress_weights, "_SLOWER", 1e9)
    monkeypatch.setattr(compress_weights, "_saved", lambda layer, code, core: 9999 - code.nbytes)


FEW = (
    *SHAPES,
    "windows of 27, two values",
    "an odd tile, two values",
    "pixels of six, three values",
)


def clustered(name: str) -> bytes:
    """A convolution with weights of 16 values, or of as many as the name says."""
    name, _, few = name.rpartition(", ") if name.endswith("values") else (name, "", "")
    height, width, channels, kernel, stride, outputs, zero, activation = SHAPES[name]
    rng = np.random.default_rng(len(name))
    flat, down = (0,) * outputs, [-(-size // stride) for size in (height, width)]
    values = rng.choice(np.arange(-120, 121), 16, replace=False).astype(np.int8)
    values = {"two values": np.int8([-1, 1]), "three values": np.int8([-9, 0, 9])}.get(few, values)
    weights = rng.choice(values, (outputs, kernel, kernel, channels))
    bias = rng.integers(-3000, 3000, outputs).astype(np.int32)
    scale = 25.0 / (kernel * np.sqrt(channels) * 3000)
    tensors = [
        Made("in", (1, height, width, channels), "INT8", None, (0.05,), (-3,)),
        Made("w", weights.shape, "INT8", weights, tuple(scale * (1 + np.arange(outputs))), flat),
        Made("b", (outputs,), "INT32", bias, (0.001,) * outputs, flat),
        Made("out", (1, *down, outputs), "INT8", None, (0.06,), (zero,)),
    ]
    made = conv_options(
        strideW=stride,
        strideH=stride,
        padding=schema.Padding.SAME,
        fusedActivationFunction=activation,
    )
    return build(tensors, [Step("CONV_2D", (0, 1, 2), (3,), made, version=3)], (0,), (3,))


def test_in_c(tmp_path: Path) -> None:
    check([clustered(name) for name in FEW], "cortex-m4", tmp_path)


@emulator
@pytest.mark.parametrize("name", FEW)
def test_on_the_emulated_core(name: str, tmp_path: Path) -> None:
    check_emulated(clustered(name), "cortex-m4", tmp_path)


def test_the_kernel_has_what_requantization_takes() -> None:
    bits = compiled(clustered("windows of 27, two values"), "cortex-m4")
    more = compiled(clustered("an odd tile, two values"), "cortex-m4")  # with zeros to fill up
    forms = [each.form for each in bits.weights + more.weights]
    assert forms == ["2 values a tensor", "4 values a tensor"]
    one = compiled(clustered("a last tile of one pixel"), "cortex-m4")
    signed = compiled(clustered("a last tile of one pixel, signed"), "cortex-m4")
    assert [each.form for each in one.weights + signed.weights] == ["16 values a tensor"] * 2
    assert "#define EK_RUNS_ONE_PRODUCT 1" in one.text.kernels
    assert "#define EK_RUNS_SIGNED 1" not in one.text.kernels
    assert "#define EK_RUNS_SIGNED 1" in signed.text.kernels
