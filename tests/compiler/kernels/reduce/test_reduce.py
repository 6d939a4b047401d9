"""Extremes along axes: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.errors import TargetError

Shape = tuple[int, ...]


def reduce(kind: str, shape: Shape, axes: Shape, keep: bool = False, scale: float = 0.1) -> bytes:
    added = {axis % len(shape) for axis in axes}
    out = [
        1 if axis in added else size for axis, size in enumerate(shape) if keep or axis not in added
    ]
    tensors = [
        Made("x", shape, "INT8", None, (0.1,), (-3,)),
        Made("axes", (len(axes),), "INT32", np.array(axes, np.int32)),
        Made("most", out, "INT8", None, (scale,), (-3,)),
    ]
    return one_op(kind, tensors, options("Reducer", keepDims=keep))


def test_the_least_of_each_row() -> None:
    row = np.array([[3, -128, 5], [127, 1, 2]], np.int8)
    (got,) = interpret(compiled(reduce("REDUCE_MIN", (2, 3), (1,))).program, (row,))
    assert got.tolist() == [-128, 1]


@pytest.mark.parametrize("core", CORES)
def test_extremes_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        reduce("REDUCE_MAX", (1, 5, 7, 6), (1, 2)),
        reduce("REDUCE_MIN", (2, 5, 7), (2,), True),
        reduce("REDUCE_MAX", (3, 4, 5), (0, 2)),
        reduce("REDUCE_MIN", (3, 4, 5), (1,)),
    ]
    check(models, core, tmp_path)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'most'.*: its output has another scale"):
        compiled(reduce("REDUCE_MAX", (2, 3), (1,), scale=0.2))
