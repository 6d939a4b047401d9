"""Means and sums: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.errors import TargetError

Shape = tuple[int, ...]


def mean(
    shape: Shape,
    axes: Shape,
    keep: bool = False,
    kind: str = "MEAN",
    scales: tuple[float, float] = (0.1, 0.1),
    zeros: tuple[int, int] = (-3, -3),
) -> bytes:
    added = {axis % len(shape) for axis in axes}
    out = [
        1 if axis in added else size for axis, size in enumerate(shape) if keep or axis not in added
    ]
    tensors = [
        Made("x", shape, "INT8", None, scales[:1], zeros[:1]),
        Made("axes", (len(axes),), "INT32", np.array(axes, np.int32)),
        Made("mean", out, "INT8", None, scales[1:], zeros[1:]),
    ]
    return one_op(kind, tensors, options("Reducer", keepDims=keep))


def test_the_mean_of_each_channel() -> None:
    row = np.array([[1, 10], [3, 20], [5, 60]], np.int8).reshape(1, 3, 1, 2)
    (got,) = interpret(compiled(mean((1, 3, 1, 2), (1, 2))).program, (row,))
    assert got.tolist() == [[3, 30]]


def test_a_global_mean_is_computed_in_place() -> None:
    assert compiled(mean((1, 4, 4, 4), (1, 2))).plan.arena == 64


@pytest.mark.parametrize("core", CORES)
def test_means_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        mean((1, 5, 7, 6), (1, 2), scales=(0.1, 0.07), zeros=(5, -20)),
        mean((1, 5, 7, 6), (1, 2), True),
        mean((1, 8, 9), (1,), scales=(0.1, 0.013)),
        mean((2, 5, 6), (-1,), True, zeros=(-128, 127)),
        mean((3, 4, 5, 2), (1, 3), scales=(0.02, 0.1)),
        mean((3, 4, 5, 2), (0, 2), scales=(0.02, 0.01)),
        mean((4, 6), (0, 1), True),
        mean((1, 40, 40, 3), (2, 1), zeros=(-128, -128)),
        mean((1, 5, 7, 6), (1, 2), True, "SUM", (0.1, 1.9)),
        mean((2, 9), (1,), False, "SUM", (0.1, 0.1), (7, 0)),
    ]
    check(models, core, tmp_path, 5)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'mean'.*: the axes \[0, 2, 4\]"):
        compiled(mean((2, 2, 2, 2, 2), (0, 2, 4)))
