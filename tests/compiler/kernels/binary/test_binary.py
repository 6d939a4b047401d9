"""Functions of two values: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.errors import TargetError

Shape = tuple[int, ...]
Scale = tuple[float, int]
OPTIONS = {"ADD": "Add", "SUB": "Sub", "MUL": "Mul", "MAXIMUM": "MaximumMinimum"}
OPTIONS["MINIMUM"] = OPTIONS["MAXIMUM"]


def binary(
    kind: str,
    left: Shape,
    right: Shape,
    scales: tuple[Scale, Scale, Scale] = ((0.1, 0), (0.1, 0), (0.1, 0)),
    constant: int | None = None,
    values: np.ndarray | None = None,
    dtype: str = "INT8",
    activation: int = 0,
) -> bytes:
    shapes = left, right, np.broadcast_shapes(left, right)
    tensors = []
    for place, (shape, (scale, zero)) in enumerate(zip(shapes, scales, strict=True)):
        data = None
        if place == constant:
            random = np.random.default_rng(place).integers(-128, 128, shape).astype(np.int8)
            data = random if values is None else values
        tensors.append(Made(("x", "y", "both")[place], shape, dtype, data, (scale,), (zero,)))
    fused: dict[str, Any] = {}
    if kind in ("ADD", "SUB", "MUL"):
        fused = {"fusedActivationFunction": activation}
    made = options(OPTIONS[kind], **fused) if kind in OPTIONS else None
    return one_op(kind, tensors, made)


def run(model: bytes, *row: np.ndarray) -> list[int]:
    (got,) = interpret(compiled(model).program, row)
    return got.ravel().tolist()


def test_a_scalar_is_taken_from_every_value() -> None:
    model = binary("SUB", (1, 4), (1,), constant=1, values=np.array([3], np.int8))
    assert run(model, np.array([[0, 3, -128, 127]], np.int8)) == [-3, 0, -128, 124]


def test_a_factor_for_each_channel() -> None:
    scales = ((0.5, 0), (1.0, 0), (0.5, 0))
    model = binary("MUL", (1, 2, 2), (2,), scales, 1, np.array([1, -2], np.int8))
    assert run(model, np.array([[[1, 2], [3, 4]]], np.int8)) == [1, -4, 3, -8]


def test_one_row_needs_no_loop_around_it() -> None:
    source = compiled(binary("MUL", (2, 3, 4), (2, 3, 4))).text.source
    assert "ek_product(&" in source
    assert "ek_binary" not in source


def random_scales(rng: np.random.Generator) -> tuple[Scale, Scale, Scale]:
    one, two, three = (
        (float(np.exp(rng.uniform(-4, -1))), int(rng.integers(-128, 128))) for _ in range(3)
    )
    return one, two, three


SHAPES: tuple[tuple[Shape, Shape], ...] = (
    ((1, 3, 4, 5), (1, 3, 4, 5)),
    ((1, 3, 4, 5), (5,)),
    ((1, 3, 4, 5), (1, 1, 1, 1)),
    ((1, 3, 1, 5), (1, 1, 4, 5)),
    ((2, 1, 4, 1), (2, 3, 1, 5)),
    ((1, 1, 1, 5), (2, 3, 4, 5)),
)


def cases(seed: int) -> list[bytes]:
    rng = np.random.default_rng(seed)
    models = []
    for place, (left, right) in enumerate(SHAPES):
        for kind in ("ADD", "SUB", "MUL"):
            constant = (None, 1, 0)[int(rng.integers(3))]
            activation = (0, 1, 2, 3)[int(rng.integers(4))]
            models.append(
                binary(kind, left, right, random_scales(rng), constant, None, "INT8", activation)
            )
        kind = ("MAXIMUM", "MINIMUM")[place % 2]
        models.append(binary(kind, left, right, constant=(None, 1)[place // 2 % 2]))
    square = ((0.1, 3), (0.07, -9), (0.3, -128))
    models.append(binary("SQUARED_DIFFERENCE", (1, 3, 4, 5), (1, 3, 4, 5), square))
    models.append(binary("SQUARED_DIFFERENCE", (1, 3, 4, 5), (4, 1), random_scales(rng), 1))
    models.append(binary("PRELU", (1, 3, 4, 5), (1, 1, 5), random_scales(rng), 1))
    models.append(binary("PRELU", (1, 3, 4, 5), (3, 4, 5), random_scales(rng), 1))
    models.append(binary("PRELU", (1, 3, 4, 5), (1, 1, 5), random_scales(rng)))
    return models


@pytest.mark.parametrize("core", CORES)
def test_functions_of_two_values_are_tflite_micros(core: str, tmp_path: Path) -> None:
    check(cases(1) if core == "portable" else cases(2)[::4], core, tmp_path)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'both'.*: 'x' is int16, not int8"):
        compiled(binary("MUL", (2,), (2,), dtype="INT16"))
    with pytest.raises(TargetError, match="it broadcasts"):
        compiled(binary("MUL", (2, 1, 2, 1, 2), (1, 2, 1, 2, 1)))
