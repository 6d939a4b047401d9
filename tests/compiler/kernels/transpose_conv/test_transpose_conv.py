"""Transposed convolutions: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.errors import TargetError

SAME, VALID = schema.Padding.SAME, schema.Padding.VALID


def conv(
    size: tuple[int, int],
    channels: tuple[int, int] = (3, 4),
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (2, 2),
    padding: int = SAME,
    bias: bool = True,
    seed: int = 0,
    weights: np.ndarray | None = None,
    activation: int = 0,
    batch: int = 1,
) -> bytes:
    rng, (inner, outer) = np.random.default_rng(seed), channels
    out = [
        whole * step if padding == SAME else (whole - 1) * step + taps
        for whole, step, taps in zip(size, stride, kernel, strict=True)
    ]
    if weights is None:
        weights = rng.integers(-127, 128, (outer, *kernel, inner)).astype(np.int8)
    scales = rng.uniform(0.002, 0.02, outer).tolist() if seed else [1.0] * outer
    shape = (batch, *out, outer)
    tensors = [
        Made("shape", (4,), "INT32", np.array(shape, np.int32)),
        Made("w", weights.shape, "INT8", weights, scales, (0,) * outer, 0),
        Made("x", (batch, *size, inner), "INT8", None, (0.1,), (-7 if seed else 0,)),
    ]
    if bias:
        values = rng.integers(-3000, 3000, outer).astype(np.int32)
        by = [0.1 * scale for scale in scales]
        tensors.append(Made("b", (outer,), "INT32", values, by, (0,) * outer))
    tensors.append(Made("larger", shape, "INT8", None, (0.1,), (11 if seed else 0,)))
    made = options(
        "TransposeConv", padding=padding, strideH=stride[0], strideW=stride[1],
        fusedActivationFunction=activation,
    )  # fmt: skip
    return one_op("TRANSPOSE_CONV", tensors, made)


def test_kernels_of_neighbours_add_where_they_meet() -> None:
    weights = np.array([1, 2, 4], np.int8).reshape(1, 1, 3, 1)
    model = conv((1, 2), (1, 1), (1, 3), (1, 2), VALID, False, weights=weights)
    row = np.array([1, 10], np.int8).reshape(1, 1, 2, 1)
    (got,) = interpret(compiled(model).program, (row,))
    assert got.ravel().tolist() == [1, 2, 4 + 10, 20, 40]


@pytest.mark.parametrize("core", CORES)
def test_transposed_convolutions_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        conv((4, 5), seed=1),
        conv((4, 5), (5, 2), (2, 2), (2, 2), seed=2, activation=1),
        conv((3, 4), (2, 3), (4, 3), (2, 3), seed=3, bias=False),
        conv((3, 4), (2, 3), (5, 4), (1, 2), VALID, seed=4, activation=3),
        conv((4, 3), (3, 3), (1, 2), (3, 2), VALID, seed=5),
        conv((4, 3), (3, 3), (1, 1), (2, 2), SAME, seed=6),
    ]
    check(models, core, tmp_path)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'larger'.*: a batch of 2"):
        compiled(conv((2, 2), batch=2))
