"""Places of extremes: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.errors import TargetError


def arg(kind: str, shape: tuple[int, ...], axis: int, dtype: str = "INT32") -> bytes:
    out = tuple(np.delete(shape, axis).tolist())
    tensors = [
        Made("x", shape, "INT8", None, (0.1,), (-3,)),
        Made("axis", (1,), "INT32", np.array([axis], np.int32)),
        Made("place", out, dtype),
    ]
    made = options("ArgMax" if kind == "ARG_MAX" else "ArgMin", outputType=2)
    return one_op(kind, tensors, made)


def test_the_first_of_equal_values_counts() -> None:
    row = np.array([[1, 7, 7, -2]], np.int8)
    (got,) = interpret(compiled(arg("ARG_MAX", (1, 4), 1)).program, (row,))
    assert got.tolist() == [1]


@pytest.mark.parametrize("core", CORES)
def test_places_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        arg("ARG_MAX", (1, 10), -1),
        arg("ARG_MIN", (3, 4, 5), 1),
        arg("ARG_MAX", (3, 4, 5), 0),
    ]
    check(models, core, tmp_path, 6)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'place'.*: its output is int64, not int32"):
        compiled(arg("ARG_MAX", (1, 4), 1, "INT64"))
