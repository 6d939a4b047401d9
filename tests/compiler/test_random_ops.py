"""Random convolutions, dense layers and additions, alone in their model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from c_project import CORES, check
from made_tflite import Made, Step, build, conv_options
from random_ops import random_operation


@pytest.mark.parametrize("core", CORES)
def test_operations_are_tflite_micros(core: str, tmp_path: Path) -> None:
    first = 4_000_000 + 100 * CORES.index(core)
    check([random_operation(first + place) for place in range(20)], core, tmp_path, 2)


def ended(pads: int) -> bytes:
    """Weights of -128, which leave no room for two in 16 bits, and outputs cut off at zero."""
    weights = np.full((4, 1, 1, 8), -128, np.int8)
    weights[2:] = 127
    tensors = [
        Made("x", (1, 3, 3, 8), "INT8", None, (0.02,), (-5,)),
        Made("y", (1, 3, 3, 4), "INT8", None, (0.4,), (-128 + pads,)),
        Made("w", weights.shape, "INT8", weights, (0.01,) * 4, (0,) * 4),
    ]
    relu = conv_options(fusedActivationFunction=schema.ActivationFunctionType.RELU)
    return build(tensors, [Step("CONV_2D", (0, 2), (1,), relu)], (0,), (1,))


@pytest.mark.parametrize("core", CORES)
def test_weights_that_fit_no_pairs_with_outputs_cut_off(core: str, tmp_path: Path) -> None:
    check([ended(0), ended(9)], core, tmp_path)
