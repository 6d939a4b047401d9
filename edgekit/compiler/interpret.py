"""A program run on the host, layer by layer, by the operations' host twins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from edgekit.compiler.program import Program


def run_program(program: Program, inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    """Outputs of one inference, in the order and the types of the model.

    Args:
        program: What is computed.
        inputs: One array for each of the model's inputs, of its type; only the order of the
            elements counts, which is the model's.

    Returns:
        One array for each output; shapes are those of the layers that compute them, which views
        (RESHAPE and its like) do not change.
    """
    values = run_values(program, inputs)
    return tuple(values[number] for number in program.outputs)


def run_values(program: Program, inputs: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
    """Every value that the program computes in one inference, by its number."""
    values = dict(zip(program.inputs, inputs, strict=True))
    for layer in program.layers:
        values[layer.output] = layer.operation.run(*(values[number] for number in layer.inputs))
    return values
