"""Functions by table: by hand, and against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_project import CORES, check, compiled, interpret
from made_tflite import Made, one_op, options

from edgekit.errors import TargetError


def function(
    kind: str,
    source: tuple[float, int],
    out: tuple[float, int],
    made: Any = None,
    dtype: str = "INT8",
) -> bytes:
    shape = (1, 16, 16)
    tensors = [
        Made("x", shape, dtype, None, source[:1], source[1:]),
        Made("curve", shape, dtype, None, out[:1], out[1:]),
    ]
    return one_op(kind, tensors, made)


ALL = np.arange(-128, 128, dtype=np.int8).reshape(1, 16, 16)


def values(model: bytes) -> np.ndarray:
    return interpret(compiled(model).program, (ALL,))[0].ravel().astype(int)


def test_logistic_is_symmetric_about_a_half() -> None:
    got = values(function("LOGISTIC", (0.1, 0), (1 / 256, -128)))
    assert got[128] == 0
    assert (np.minimum(-got[1:128][::-1], 127) == got[129:]).all()


def test_relu_of_one_scale_needs_no_table() -> None:
    model = function("RELU", (0.1, -5), (0.1, -5))
    assert (values(model) == np.maximum(ALL.ravel(), -5)).all()
    assert "ek_limit(-5, 127," in compiled(model).text.source
    assert "table" not in compiled(model).text.weights


def random(rng: np.random.Generator, low: float = 0.004, high: float = 0.3) -> tuple[float, int]:
    return float(np.exp(rng.uniform(np.log(low), np.log(high)))), int(rng.integers(-128, 128))


def cases() -> list[bytes]:
    rng = np.random.default_rng(3)
    models = [
        function("LEAKY_RELU", random(rng), random(rng), options("LeakyRelu", alpha=alpha))
        for alpha in (0.0, 0.01, 0.3, 1.5)
    ]
    for _ in range(4):
        same = random(rng, 0.06)
        models += [
            function("LOGISTIC", random(rng), (1 / 256, -128)),
            function("TANH", random(rng), (1 / 128, 0)),
            function("RELU", random(rng), random(rng)),
            function("RELU6", same, same),
            function("HARD_SWISH", random(rng), random(rng, 0.02)),
            function("ELU", random(rng), random(rng)),
            function("ABS", random(rng), random(rng)),
        ]
    return models


@pytest.mark.parametrize("core", CORES)
def test_functions_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = cases() if core == "portable" else cases()[:8]
    check(models, core, tmp_path, 6)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'curve'.*: its output has the zero point 0"):
        compiled(function("LOGISTIC", (0.1, 0), (1 / 256, 0)))
    with pytest.raises(TargetError, match="'x' is int16, not int8"):
        compiled(function("TANH", (0.1, 0), (0.1, 0), dtype="INT16"))
    with pytest.raises(TargetError, match=r"a slope of -0\.5"):
        compiled(function("LEAKY_RELU", (0.1, 0), (0.1, 0), options("LeakyRelu", alpha=-0.5)))
