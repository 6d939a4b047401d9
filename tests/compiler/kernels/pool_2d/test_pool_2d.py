"""Pools: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.errors import TargetError

NONE, RELU, N1, RELU6 = 0, 1, 2, 3
SAME, VALID = schema.Padding.SAME, schema.Padding.VALID


def pool(
    kind: str,
    shape: tuple[int, ...],
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    padding: int = VALID,
    activation: int = NONE,
    scale: float = 0.1,
    zero: int = -3,
    out_scale: float | None = None,
) -> bytes:
    batch, height, width, channels = shape
    sizes = (
        [-(-size // step) for size, step in zip((height, width), stride, strict=True)]
        if padding == SAME
        else [
            (size - taps + step) // step
            for size, taps, step in zip((height, width), kernel, stride, strict=True)
        ]
    )
    tensors = [
        Made("x", shape, "INT8", None, (scale,), (zero,)),
        Made("pooled", (batch, *sizes, channels), "INT8", None, (out_scale or scale,), (zero,)),
    ]
    made = options(
        "Pool2D", filterHeight=kernel[0], filterWidth=kernel[1], strideH=stride[0],
        strideW=stride[1], padding=padding, fusedActivationFunction=activation,
    )  # fmt: skip
    return one_op(kind, tensors, made)


def test_means_round_halves_away_from_zero() -> None:
    row = np.array([1, 2, -1, -2, 0, 0], np.int8).reshape(1, 1, 6, 1)
    model = pool("AVERAGE_POOL_2D", (1, 1, 6, 1), (1, 2), (1, 2))
    (got,) = interpret(compiled(model).program, (row,))
    assert got.ravel().tolist() == [2, -2, 0]


def test_maximum_of_a_window_leaves_the_padding_out() -> None:
    image = -np.arange(1, 10, dtype=np.int8).reshape(1, 3, 3, 1)
    model = pool("MAX_POOL_2D", (1, 3, 3, 1), (2, 2), (2, 2), SAME)
    (got,) = interpret(compiled(model).program, (image,))
    assert got.ravel().tolist() == [-1, -3, -7, -9]


def cases(seed: int, count: int) -> list[bytes]:
    rng = np.random.default_rng(seed)
    made = []
    for place in range(count):
        kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        shape = (1, int(rng.integers(4, 10)), int(rng.integers(4, 10)), int(rng.integers(1, 11)))
        stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        kind = ("AVERAGE_POOL_2D", "MAX_POOL_2D")[place % 2]
        padding, activation = (SAME, VALID)[int(rng.integers(2))], int(rng.integers(4))
        zero = int(rng.integers(-128, 128))
        made.append(pool(kind, shape, kernel, stride, padding, activation, 0.05, zero))
    return made


@pytest.mark.parametrize("core", CORES)
def test_pools_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = cases(1, 8)
    models.append(pool("AVERAGE_POOL_2D", (1, 25, 5, 64), (25, 5), (25, 5)))
    models.append(pool("AVERAGE_POOL_2D", (1, 80, 75, 5), (80, 75), (1, 1)))
    models.append(pool("MAX_POOL_2D", (1, 20, 20, 6), (20, 20), (20, 20)))
    check(models, core, tmp_path)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'pooled'.*: a batch of 2"):
        compiled(pool("MAX_POOL_2D", (2, 4, 4, 1), (2, 2)))
    with pytest.raises(TargetError, match="another scale than its input"):
        compiled(pool("AVERAGE_POOL_2D", (1, 4, 4, 1), (2, 2), out_scale=0.2))
