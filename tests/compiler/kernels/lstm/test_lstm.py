"""LSTM: its curves, and layers against tflite-micro on the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_project import CORES, check, compiled
from made_tflite import Made, Step, build, options

from edgekit.compiler.kernels.lstm import curves
from edgekit.errors import TargetError

TANH = 4


def lstm(
    sequences: int = 1,
    times: int = 5,
    width: int = 3,
    units: int = 4,
    cell: float = 2.0**-11,
    clip: float = 10.0,
    major: bool = False,
    seed: int = 0,
    zeros: tuple[int, int] = (-20, 7),
    peephole: bool = False,
) -> bytes:
    rng = np.random.default_rng(seed)
    shape = (times, sequences) if major else (sequences, times)
    tensors = [Made("x", (*shape, width), "INT8", None, (0.03,), zeros[:1])]
    places = [0]

    def add(made: Made) -> None:
        places.append(len(tensors))
        tensors.append(made)

    for columns in (width, units):
        for gate in range(4):
            data = rng.integers(-127, 128, (units, columns)).astype(np.int8)
            scale = float(rng.uniform(0.003, 0.02))
            add(Made(f"w{columns}_{gate}", (units, columns), "INT8", data, (scale,), (0,)))
    places += [places[-1] if peephole else -1, -1, -1]
    for gate in range(4):
        scale = 0.03 * tensors[1 + gate].scale[0]
        data = rng.integers(-2000, 2000, units).astype(np.int32)
        add(Made(f"b{gate}", (units,), "INT32", data, (scale,), (0,)))
    places += [-1, -1]
    add(Made("hidden", (sequences, units), "INT8", None, (0.008,), zeros[1:]))
    add(Made("cell", (sequences, units), "INT16", None, (cell,), (0,)))
    places += [-1] * 4
    tensors.append(Made("lstm", (*shape, units), "INT8", None, (0.008,), zeros[1:]))
    made = options(
        "UnidirectionalSequenceLSTM", fusedActivationFunction=TANH, cellClip=clip, timeMajor=major
    )
    last = len(tensors) - 1
    step = Step("UNIDIRECTIONAL_SEQUENCE_LSTM", places, (last,), made)
    return build(tensors, [step], (0,), (last,), _variables)


def _variables(model: Any) -> None:
    for tensor in model.subgraphs[0].tensors:
        tensor.isVariable = tensor.name in (b"hidden", b"cell")


def test_curves_keep_close_to_the_functions() -> None:
    values = np.arange(-32768, 32768)
    real = values / 4096
    np.testing.assert_allclose(curves.logistic(values) / 32768, 1 / (1 + np.exp(-real)), atol=6e-5)
    np.testing.assert_allclose(curves.tanh(values, 3, 0) / 32768, np.tanh(real), atol=6e-5)


def test_the_table_ends_at_one() -> None:
    assert curves.TABLE[[0, 1, 2, 4, 254, 255]].tolist() == [
        32768,
        33451,
        34133,
        35493,
        65534,
        65535,
    ]


@pytest.mark.parametrize("core", CORES)
def test_layers_are_tflite_micros(core: str, tmp_path: Path) -> None:
    models = [
        lstm(),
        lstm(1, 7, 2, 9, seed=1, clip=0.0),
        lstm(1, 6, 8, 3, 2.0**-13, seed=2),
        lstm(1, 6, 3, 8, 2.0**-15, seed=3, clip=0.6),
        lstm(3, 4, 2, 3, 2.0**-12, seed=4, zeros=(127, -128)),
        lstm(2, 4, 2, 3, 2.0**-8, major=True, seed=5),
    ]
    check(models, core, tmp_path, 5)


def test_refusals_name_the_layer() -> None:
    with pytest.raises(TargetError, match=r"'lstm'.*: peepholes, a projection or layer"):
        compiled(lstm(peephole=True))
