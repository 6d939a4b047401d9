"""Products of matrices: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.errors import TargetError

Shape = tuple[int, ...]


def product(
    left: Shape,
    right: Shape,
    turned: tuple[bool, bool] = (False, False),
    constant: int | None = None,
    scales: tuple[float, float, float] = (0.05, 0.03, 0.1),
    zeros: tuple[int, int, int] = (-3, 11, 20),
) -> bytes:
    rng = np.random.default_rng(0)
    rows, columns = left[-1 if turned[0] else -2], right[-2 if turned[1] else -1]
    out = (*np.broadcast_shapes(left[:-2], right[:-2]), rows, columns)
    tensors = [
        Made(
            name, shape, "INT8",
            rng.integers(-128, 128, shape).astype(np.int8) if place == constant else None,
            scales[place : place + 1], zeros[place : place + 1],
        )
        for place, (name, shape) in enumerate((("x", left), ("y", right), ("product", out)))
    ]  # fmt: skip
    return one_op("BATCH_MATMUL", tensors, options("BatchMatMul", adjX=turned[0], adjY=turned[1]))


def test_a_product_of_two_matrices() -> None:
    model = product((2, 2), (2, 1), scales=(1, 1, 1), zeros=(0, 0, 0))
    rows = np.array([[1, 2], [3, 4]], np.int8), np.array([[5], [6]], np.int8)
    (got,) = interpret(compiled(model).program, rows)
    assert got.tolist() == [[17], [39]]


@pytest.mark.parametrize("core", CORES)
def test_products_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        product((4, 5), (5, 3)),
        product((2, 4, 5), (2, 5, 3)),
        product((2, 3, 4, 5), (2, 3, 6, 5), (False, True)),
        product((1, 2, 4, 5), (1, 2, 5, 3), constant=1),
        product((3, 4, 5), (1, 5, 6)),
        product((2, 5, 4), (2, 5, 3), (True, False)),
    ]
    check(models, core, tmp_path)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'product'.*: it broadcasts"):
        compiled(product((2, 1, 2, 4, 5), (1, 2, 1, 5, 3)))
