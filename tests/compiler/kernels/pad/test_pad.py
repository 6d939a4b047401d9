"""Borders: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op

from edgekit.errors import TargetError

Pads = tuple[tuple[int, int], ...]


def pad(shape: tuple[int, ...], pads: Pads, value: int | None = None, zero: int = -3) -> bytes:
    sizes = tuple(size + sum(each) for size, each in zip(shape, pads, strict=True))
    tensors = [
        Made("x", shape, "INT8", None, (0.1,), (zero,)),
        Made("pads", (len(pads), 2), "INT32", np.array(pads, np.int32)),
    ]
    if value is not None:
        tensors.append(Made("v", (1,), "INT8", np.array([value], np.int8), (0.1,), (zero,)))
    tensors.append(Made("bordered", sizes, "INT8", None, (0.1,), (zero,)))
    return one_op("PAD" if value is None else "PADV2", tensors)


def test_the_border_is_the_zero_point() -> None:
    row = np.array([[1, 2], [3, 4]], np.int8)
    (got,) = interpret(compiled(pad((2, 2), ((0, 1), (1, 0)))).program, (row,))
    assert got.tolist() == [[-3, 1, 2], [-3, 3, 4], [-3, -3, -3]]


def test_the_input_lies_at_the_end_of_the_output() -> None:
    made = compiled(pad((1, 8, 8, 4), ((0, 0), (1, 1), (1, 1), (0, 0))))
    assert made.plan.arena == 400


@pytest.mark.parametrize("core", CORES)
def test_pads_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        pad((1, 5, 6, 3), ((0, 0), (1, 2), (3, 0), (0, 0))),
        pad((1, 5, 6, 3), ((0, 0), (1, 2), (3, 0), (0, 0)), 17),
        pad((2, 3, 2, 3), ((1, 0), (0, 2), (1, 1), (2, 1)), -128),
        pad((7,), ((3, 9),)),
        pad((2, 1, 3), ((0, 0), (2, 2), (0, 0))),
        pad((1, 2, 3, 1, 5), ((0, 0), (0, 1), (0, 0), (1, 0), (0, 0)), 4),
        pad((1, 4, 4, 2), ((0, 0), (0, 0), (0, 0), (0, 0))),
    ]
    check(models, core, tmp_path)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'bordered'.*: 5 axes with a border"):
        compiled(pad((2,) * 5, ((1, 0),) * 5))
