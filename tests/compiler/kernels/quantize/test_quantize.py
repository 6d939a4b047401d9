"""Quantization and back: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret, run_c, same
from made_tflite import Made, one_op

from edgekit.errors import TargetError

SHAPE = (2, 3, 7)
Side = tuple[str, float, int]


def conversion(kind: str, source: Side, out: Side) -> bytes:
    tensors = [
        Made(name, SHAPE, dtype, None, (scale,) if scale else (), (zero,) if scale else ())
        for name, (dtype, scale, zero) in (("x", source), ("turned", out))
    ]
    return one_op(kind, tensors)


FLOAT: Side = ("FLOAT32", 0.0, 0)


def test_halves_go_away_from_zero_and_ends_saturate() -> None:
    row = np.zeros(SHAPE, np.float32)
    row.flat[:9] = [0.25, -0.25, 0.24999999, 63.0, -65.0, 1e30, -np.inf, np.nan, 0.75]
    model = conversion("QUANTIZE", FLOAT, ("INT8", 0.5, 2))
    (got,) = interpret(compiled(model).program, (row,))
    assert got.ravel()[:9].tolist() == [3, 1, 2, 127, -128, 127, -128, 2, 4]


def test_the_device_saturates_alike(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    row = rng.normal(0, 40, SHAPE).astype(np.float32)
    row.flat[:6] = [1e30, -1e30, np.inf, -np.inf, np.nan, 1e-40]
    model = conversion("QUANTIZE", FLOAT, ("INT8", 0.5, 2))
    (((got,),),) = run_c([model], [[(row,)]], "portable", tmp_path)
    same(got, interpret(compiled(model).program, (row,))[0], "C")


def test_uint8_to_int8_only_moves_the_zero_point() -> None:
    model = conversion("QUANTIZE", ("UINT8", 0.1, 128), ("INT8", 0.1, 0))
    row = np.arange(42, dtype=np.uint8).reshape(SHAPE)
    (got,) = interpret(compiled(model).program, (row,))
    assert (got == row.astype(int) - 128).all()
    assert "ek_offset(-128," in compiled(model).text.source


@pytest.mark.parametrize("core", CORES)
def test_conversions_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        conversion("QUANTIZE", FLOAT, ("INT8", 0.017, -11)),
        conversion("QUANTIZE", FLOAT, ("INT8", 1 / 256, -128)),
        conversion("QUANTIZE", ("INT8", 0.3, 5), ("INT8", 0.123, -20)),
        conversion("QUANTIZE", ("INT8", 0.05, 5), ("INT8", 0.123, 100)),
        conversion("QUANTIZE", ("UINT8", 0.05, 5), ("INT8", 0.05, -123)),
        conversion("QUANTIZE", ("UINT8", 0.05, 5), ("INT8", 0.04, -128)),
        conversion("QUANTIZE", ("INT8", 0.05, -128), ("UINT8", 0.05, 0)),
        conversion("QUANTIZE", ("INT8", 0.05, 3), ("UINT8", 0.07, 128)),
        conversion("DEQUANTIZE", ("INT8", 0.0173, -11), FLOAT),
        conversion("DEQUANTIZE", ("UINT8", 0.3, 77), FLOAT),
    ]
    check(models, core, tmp_path, 10)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'turned'.*: float32 to int16"):
        compiled(conversion("QUANTIZE", FLOAT, ("INT16", 0.1, 0)))
    with pytest.raises(TargetError, match="uint8 to uint8"):
        compiled(conversion("QUANTIZE", ("UINT8", 0.1, 0), ("UINT8", 0.2, 0)))
