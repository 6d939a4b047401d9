"""Tensors side by side: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.errors import TargetError

Shape = tuple[int, ...]


def concatenation(
    shapes: Sequence[Shape], axis: int, constant: Sequence[int] = (), scale: float = 0.1
) -> bytes:
    rng = np.random.default_rng(0)
    tensors = []
    for place, shape in enumerate(shapes):
        data = rng.integers(-128, 128, shape).astype(np.int8) if place in constant else None
        tensors.append(Made(f"x{place}", shape, "INT8", data, (0.1,), (-3,)))
    out = list(shapes[0])
    out[axis] = sum(shape[axis] for shape in shapes)
    tensors.append(Made("joined", out, "INT8", None, (scale,), (-3,)))
    return one_op("CONCATENATION", tensors, options("Concatenation", axis=axis))


def pack(count: int, shape: Shape, axis: int) -> bytes:
    tensors = [Made(f"x{place}", shape, "INT8", None, (0.1,), (-3,)) for place in range(count)]
    out = [*shape[:axis], count, *shape[axis:]]
    tensors.append(Made("packed", out, "INT8", None, (0.1,), (-3,)))
    return one_op("PACK", tensors, options("Pack", valuesCount=count, axis=axis))


def test_columns_side_by_side() -> None:
    left, right = np.array([[1], [2]], np.int8), np.array([[3, 4], [5, 6]], np.int8)
    (got,) = interpret(compiled(concatenation([(2, 1), (2, 2)], 1)).program, (left, right))
    assert got.tolist() == [[1, 3, 4], [2, 5, 6]]


def test_operands_that_follow_each_other_are_already_there() -> None:
    assert compiled(concatenation([(1, 4, 4), (1, 8, 4)], 1)).plan.arena == 48


@pytest.mark.parametrize("core", CORES)
def test_concatenations_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        concatenation([(1, 3, 4, 2), (1, 3, 4, 5), (1, 3, 4, 1)], 3),
        concatenation([(1, 3, 4), (1, 2, 4)], -2),
        concatenation([(2, 3), (2, 5), (2, 4)], 1, (1,)),
        concatenation([(3, 3), (1, 3)], 0, (0,)),
        pack(3, (2, 5), 0),
        pack(2, (2, 5), 1),
        pack(4, (2, 5), 2),
    ]
    check(models, core, tmp_path)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'joined'.*: 'x0' has another scale than the output"):
        compiled(concatenation([(1, 2), (1, 3)], 1, scale=0.2))
