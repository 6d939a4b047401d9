"""A program on the host: every layer by its host twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.program import Program


def run_program(program: Program, inputs: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
    """Number -> array of every value that a run makes, shaped as `Value.shape`.

    Args:
        program: What to run.
        inputs: One array an input of the program, in its dtype.
    """
    made = dict(zip(program.inputs, inputs, strict=True))
    for layer in program.layers:
        out = layer.operation.run(*(made[value] for value in layer.inputs))
        made[layer.output] = out.reshape(program.values[layer.output].shape)
    return made


def zeros(program: Program) -> list[NDArray[Any]]:
    """Inputs of nothing but stored zeros."""
    values = (program.values[number] for number in program.inputs)
    return [np.zeros(value.shape, value.dtype) for value in values]
