"""Float and built model on the same rows, side by side: what fidelity and accuracy compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import tee

import numpy as np

from edgekit.errors import ModelError
from edgekit.graph.read import read
from edgekit.runtimes.base import Row, open_runtime, run_float

Reference = Callable[[Row], Row] | bytes
"""The float model: a function from a float32 row to float32 outputs, or its flatbuffer."""
Answer = Callable[[Row], Row]
"""Which of the built model's outputs are compared, where it has more than the float one."""


@dataclass(frozen=True, eq=False)
class Pair:
    """One row and what the two models make of it, all float32 with batch 1."""

    row: Row
    reference: Row
    built: Row


def pairs(
    reference: Reference,
    built: bytes,
    rows: Iterable[Row],
    runtime: str,
    answer: Answer | None = None,
) -> Iterator[Pair]:
    """Run both models on each row, in order and in constant memory.

    Args:
        reference: The float model; a flatbuffer runs on LiteRT's default kernels.
        built: The built flatbuffer.
        rows: Model-ready float32 arrays `[1, ...]`, one for each input.
        runtime: What runs `built`; see `edgekit.runtimes.base.RUNTIMES`.
        answer: Takes all outputs of `built`, dequantised; None: all are compared.

    Raises:
        DataError: A row does not have the model's shapes.
        ModelError: Outputs differ in number or size, or are NaN or infinite.
        TargetError: The runtime cannot run the built model.
    """
    ours, theirs, kept = tee(rows, 3)  # holds no more rows than the workers have under way
    outputs = _run(built, runtime, ours, 2)
    sides = _reference(reference, theirs), map(answer, outputs) if answer else outputs
    for index, (row, left, right) in enumerate(zip(kept, *sides, strict=True)):
        _check(index, left, right)
        yield Pair(row, left, right)


def class_vectors(row: Row, outputs: Row) -> list[int]:
    """Which outputs look like class vectors, one score a class.

    They are `[1, n]` or `[1, 1, 1, n]` with n >= 2, and do not have the shape of an input:
    that would be a reconstruction.
    """
    shapes = {array.shape for array in row}
    return [
        k
        for k, output in enumerate(outputs)
        if output.ndim >= 2 and output.shape[-1] == output.size >= 2 and output.shape not in shapes
    ]


def _reference(reference: Reference, rows: Iterable[Row]) -> Iterator[Row]:
    if isinstance(reference, bytes):
        yield from _run(reference, "litert", rows, 1)
        return
    for row in rows:
        yield tuple(np.asarray(output, np.float32) for output in reference(row))


def _run(model: bytes, runtime: str, rows: Iterable[Row], workers: int) -> Iterator[Row]:
    graph = read(model)
    with open_runtime(runtime, model, isolated=True, workers=workers) as opened:
        yield from run_float(opened, graph, rows)


def _check(index: int, left: Row, right: Row) -> None:
    sizes = [[output.size for output in side] for side in (left, right)]
    if sizes[0] != sizes[1]:
        raise ModelError(
            f"the float model gives outputs of {sizes[0]} values, the built one of {sizes[1]}",
            "compare models with the same outputs: look at both with edgekit inspect",
        )
    for side, name in ((left, "float"), (right, "built")):
        for number, output in enumerate(side):
            if not np.isfinite(output).all():
                raise ModelError(
                    f"output {number} of the {name} model is NaN or infinite on row {index}",
                    "check the preprocessing and the model's weights; float16 overflows at 65504",
                )
