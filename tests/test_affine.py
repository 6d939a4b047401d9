"""Our rounding and scaling against LiteRT's own QUANTIZE and DEQUANTIZE kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import O, T, flatbuffer

from edgekit.affine import dequantise, limits, quantise, real_range
from edgekit.errors import ModelError
from edgekit.graph.graph import Quantization, Tensor
from edgekit.graph.read import read
from edgekit.runtimes.base import open_runtime


def tensor(dtype: str, scale: list[float] | None, zero: int = 0, axis: int = 0) -> Tensor:
    quantization = None
    if scale is not None:
        steps = np.asarray(scale, np.float32)
        quantization = Quantization(steps, np.full(steps.size, zero, np.int64), axis)
    return Tensor(0, "t", (1,), (1,), dtype, None, quantization, None, None, variable=False)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero"),
    [("INT8", 0.0371, -17), ("UINT8", 0.25, 128), ("INT16", 0.00071, 0), ("INT8", 1.0, -128)],
)
def test_values_equal_those_of_litert_kernels(dtype: str, scale: float, zero: int) -> None:
    shape = (1, 4000)
    model = flatbuffer(
        [T("x", shape), T("q", shape, dtype, scale=scale, zero=zero), T("y", shape)],
        [O("QUANTIZE", (0,), (1,)), O("DEQUANTIZE", (1,), (2,))],
        (0,),
        (1, 2),
    )
    values = np.random.default_rng(0).normal(0, 90 * scale, shape).astype(np.float32)
    values[0, :2000] = np.arange(-1000, 1000) * np.float32(scale / 2)  # ties
    with open_runtime("litert-reference", model) as runtime:
        wanted, back = runtime.run((values,))
    middle = read(model).tensors[1]
    np.testing.assert_array_equal(quantise(values, middle), wanted)
    np.testing.assert_array_equal(dequantise(wanted, middle), back)


def test_per_channel_scales_go_along_their_axis() -> None:
    weights = tensor("int8", [0.5, 2.0], axis=1)
    values = np.array([[1.0, 4.0], [-0.5, 6.0]], np.float32)
    stored = quantise(values, weights)
    assert stored.tolist() == [[2, 2], [-1, 3]]
    assert dequantise(stored, weights).tolist() == values.tolist()


@pytest.mark.parametrize(
    ("real", "stored"), [(1e30, 127), (-1e30, -128), (np.inf, 127), (-np.inf, -128), (0.0, 3)]
)
def test_values_beyond_the_range_are_clamped(real: float, stored: int) -> None:
    assert quantise(np.array([real], np.float32), tensor("int8", [0.1], 3)).tolist() == [stored]


def test_tensors_without_scales_are_cast() -> None:
    assert quantise(np.array([2.6], np.float32), tensor("int32", None)).tolist() == [3]
    assert quantise(np.array([2.6], np.float32), tensor("float32", None)).dtype == np.float32
    assert dequantise(np.array([7], np.int32), tensor("int32", None)).tolist() == [7.0]


def test_the_range_of_a_tensor_is_what_its_integers_stand_for() -> None:
    assert real_range(tensor("int8", [0.5], -128)) == (0.0, 127.5)
    assert real_range(tensor("float32", None)) is None
    assert real_range(tensor("int8", [0.5, 1.0])) is None
    assert limits("int4") == (-8, 7)


def test_text_cannot_be_fed() -> None:
    with pytest.raises(ModelError, match="'t' is string"):
        quantise(np.zeros(1, np.float32), tensor("string", None))
