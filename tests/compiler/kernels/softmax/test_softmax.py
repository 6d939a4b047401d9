"""Softmax: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.compiler.kernels.softmax.softmax import exponentials
from edgekit.errors import TargetError


def softmax(
    shape: tuple[int, ...],
    scale: float = 0.1,
    beta: float = 1.0,
    dtype: str = "INT8",
    out: tuple[float, int] | None = None,
) -> bytes:
    step, zero = out or ((1 / 256, -128) if dtype == "INT8" else (1 / 65536, -32768))
    tensors = [
        Made("x", shape, "INT8", None, (scale,), (5,)),
        Made("shares", shape, dtype, None, (step,), (zero,)),
    ]
    return one_op("SOFTMAX", tensors, options("Softmax", beta=beta))


def test_equal_values_share_equally() -> None:
    row = np.full((1, 4), 3, np.int8)
    (got,) = interpret(compiled(softmax((1, 4))).program, (row,))
    assert got.tolist() == [[-64] * 4]


def test_a_far_greater_value_takes_all() -> None:
    row = np.array([[-128, 127]], np.int8)
    (got,) = interpret(compiled(softmax((1, 2), 1.0)).program, (row,))
    assert got.tolist() == [[-128, 127]]


def test_the_table_holds_what_adds_to_a_sum() -> None:
    table = exponentials(0.5)
    np.testing.assert_allclose(table / 2.0**31, np.exp(-0.5 * np.arange(len(table))), atol=1e-6)
    assert len(table) == 28  # exp(-14) * 2^31 < 2^11
    assert len(exponentials(0.01)) == 256


@pytest.mark.parametrize("core", CORES)
def test_softmax_is_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        softmax((1, 10)),
        softmax((1, 12), 0.0037),
        softmax((3, 5), 1.7),
        softmax((1, 2, 3, 4), 0.25, 0.5),
        softmax((1, 500), 0.01),
        softmax((1, 1), 40.0),
        softmax((2, 7), 0.08, dtype="INT16"),
    ]
    check(models, core, tmp_path, 12)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'shares'.*: its output has scale 0.1 and zero point 0"):
        compiled(softmax((1, 4), out=(0.1, 0)))
    with pytest.raises(TargetError, match="rows of 5000 values"):
        compiled(softmax((1, 5000)))
    with pytest.raises(TargetError, match="its output is float32"):
        compiled(softmax((1, 4), dtype="FLOAT32"))
