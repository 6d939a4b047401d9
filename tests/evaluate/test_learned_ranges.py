"""Learned activation ranges: in the file as they are, or named."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import dense, dense_int8
from small_nets import Net, as_model, rows_of

from edgekit.bridge.names import layer_names
from edgekit.calibrate import ranges as stored
from edgekit.evaluate.learned_ranges import Range, ranges_kept, scale_of
from edgekit.graph.read import read
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.quantizers.int8 import to_int8

RNG = np.random.default_rng(0)
POOL = ("Pool2DOptions", {"strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2})
NET = Net(4, 4, 2).conv(RNG.normal(size=(4, 3, 3, 2))).op("MAX_POOL_2D", (1, 2, 2, 4), POOL).mean()
DATA = (
    NET.dense(RNG.normal(size=(3, 4)))
    .op("SOFTMAX", (1, 3), ("SoftmaxOptions", {"beta": 1.0}))
    .tflite()
)
X, CONV, POOLED, MEAN, DENSE, OUT = 0, 3, 4, 6, 9, 10
LEARNED = {X: (-2.5, 3.0), CONV: (0.0, 5.0), POOLED: (0.0, 5.0), MEAN: (0.0, 4.0)}
CONV_NAME = layer_names(read(DATA))[0]
LEARNED |= {DENSE: (-3.0, 9.0)}


@pytest.fixture(scope="module")
def calibrated() -> bytes:
    rows = rows_of(RNG.normal(size=(6, 4, 4, 2)))
    return stored.calibrate(DATA, as_model(DATA).inputs, rows)


def built_with(
    calibrated: bytes, ranges: dict[int, Range], io: str = "int8"
) -> list[tuple[str, str]]:
    options = QuantizeOptions(input_dtype=io, output_dtype=io)
    built = to_int8(stored.replace(calibrated, ranges), options)
    return [(each.severity, each.message) for each in ranges_kept(ranges, DATA, built)]


@pytest.mark.parametrize("io", ["int8", "uint8", "float32"])
def test_all_are_in_the_file(calibrated: bytes, io: str) -> None:
    assert built_with(calibrated, LEARNED, io) == []


def test_one_note_names_what_ops_decide(calibrated: bytes) -> None:
    ((severity, text),) = built_with(calibrated, LEARNED | {POOLED: (0.0, 6.0), OUT: (0.1, 0.8)})
    assert severity == "note"
    assert "share the scale of another tensor: y1" in text
    assert text.endswith("the op itself fixes the scale of: y4")


def test_a_neighbour_without_a_learned_range_outvotes(calibrated: bytes) -> None:
    ((severity, text),) = built_with(calibrated, {POOLED: (0.0, 5.0)})
    assert (severity, text[-3:]) == ("warning", " y1")


def test_ranges_that_were_never_written(calibrated: bytes) -> None:
    (problem,) = ranges_kept(LEARNED, DATA, to_int8(calibrated, QuantizeOptions()))
    assert problem.severity == "error"
    assert all(f"{name} (scale " in problem.message for name in ("input", CONV_NAME, "y2"))


@pytest.mark.parametrize(
    ("wanted", "severity"),
    [
        pytest.param((-12.8, 12.7), "", id="as learned"),
        pytest.param((-12.8, 12.65), "error", id="another scale"),
        pytest.param((-12.7, 12.8), "error", id="the zero point one beside"),
        pytest.param((0.0, 0.0), "", id="a tensor that was always zero"),
    ],
)
def test_to_the_step(wanted: Range, severity: str) -> None:
    left, right = dense([np.eye(3)]), dense_int8([np.eye(3)], [0.1, 0.1])
    found = [problem.severity for problem in ranges_kept({2: wanted}, left, right)]
    assert found == [severity] * bool(severity)


def test_a_float_file_has_no_ranges() -> None:
    (problem,) = ranges_kept({CONV: (0.0, 5.0)}, DATA, DATA)
    assert (problem.severity, problem.message[-2 - len(CONV_NAME) :]) == (
        "warning",
        f": {CONV_NAME}",
    )
    assert ranges_kept({}, DATA, DATA) == []


def test_int16_keeps_the_larger_end(calibrated: bytes) -> None:
    rows = rows_of(np.clip(RNG.normal(size=(6, 4, 4, 2)), -2, 2))
    model = as_model(DATA)
    built = load("int16x8").quantize(model, rows, QuantizeOptions()).tflite
    measured = stored.read(stored.calibrate(DATA, model.inputs, rows))
    learned = {X: measured[X], DENSE: measured[DENSE]}
    assert ranges_kept(learned, DATA, built) == []
    wider = {X: (-9.0, 9.0)}
    assert [problem.severity for problem in ranges_kept(wider, DATA, built)] == ["error"]


@pytest.mark.parametrize(
    ("wanted", "dtype", "scale", "zero"),
    [
        pytest.param((-1.0, 1.55), "int8", 0.01, -28, id="int8"),
        pytest.param((-1.0, 1.55), "uint8", 0.01, 100, id="uint8"),
        pytest.param((1.0, 2.55), "int8", 0.01, -128, id="widened to hold zero"),
        pytest.param((-2.0, -1.0), "int16", 2 / 32767, 0, id="int16 is symmetric"),
    ],
)
def test_arithmetic(wanted: Range, dtype: str, scale: float, zero: float) -> None:
    assert scale_of(wanted, dtype) == (pytest.approx(scale), pytest.approx(zero))
