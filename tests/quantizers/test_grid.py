"""Whose range decides the scale of each activation, as the int8 quantizer itself has it."""

from __future__ import annotations

import numpy as np
import pytest
import rounding_nets
from small_nets import Net, as_model, rows_of

from edgekit.calibrate import ranges
from edgekit.graph.read import read
from edgekit.quantizers._grid import Grid, grids
from edgekit.quantizers.base import QuantizeOptions
from edgekit.quantizers.int8 import to_int8

RNG = np.random.default_rng(0)


def test_reshaping_and_pooling_have_the_scale_of_their_input_and_sigmoid_a_fixed_one() -> None:
    net = Net(4, 4, 2).conv(RNG.normal(size=(3, 1, 1, 2)))
    pool = {"filterHeight": 2, "filterWidth": 2, "strideH": 2, "strideW": 2}
    net.op("MAX_POOL_2D", (1, 2, 2, 3), ("Pool2DOptions", pool))
    net.op("LOGISTIC", (1, 2, 2, 3))
    tflite = net.mean().tflite()
    source, conv, pooled, sigmoid, mean = (
        next(t.index for t in read(tflite).tensors if t.name == name)
        for name in ("input", "y0", "y1", "y2", "y3")
    )
    found = grids(tflite)
    assert found.activations == {
        source: Grid(source),
        conv: Grid(conv),
        pooled: Grid(conv),
        sigmoid: Grid(-1, 0.0, 255 / 256),
        mean: Grid(mean),
    }
    assert found.floats == ()


@pytest.mark.parametrize("name", rounding_nets.NETS)
def test_files_of_any_ranges_have_the_scales_that_it_tells(name: str) -> None:
    tflite = rounding_nets.tflite(name)
    model, found = as_model(tflite), grids(tflite)
    rows = rows_of(rounding_nets.rows(name, 4))
    measured = ranges.calibrate(tflite, model.inputs, rows)
    options = QuantizeOptions(disable_per_channel_dense=True)
    built = {t.name: t for t in read(to_int8(measured, options)).tensors}
    known = ranges.read(measured)
    checked = 0
    for index, grid in found.activations.items():
        tensor = built.get(read(tflite).tensors[index].name)
        if tensor is not None and tensor.dtype == "int8":
            low, high = known[grid.source] if grid.source >= 0 else (grid.low, grid.high)
            wanted = (max(high, 0.0) - min(low, 0.0)) / 255
            assert tensor.quantization.scale[0] == pytest.approx(wanted, rel=1e-3)
            checked += 1
    assert checked >= len(found.activations) - 1


def test_kernels_and_what_stays_float_are_told() -> None:
    net = Net(4, 4, 2).conv(RNG.normal(size=(3, 1, 1, 2))).op("ELU", (1, 4, 4, 3)).mean()
    tflite = net.dense(RNG.normal(size=(3, 3))).tflite()
    conv, *_, dense = read(tflite).ops
    found = grids(tflite)
    assert found.kernels == {conv.inputs[1]: True, dense.inputs[1]: False}
    (name,) = found.floats
    assert "ELU" in name
