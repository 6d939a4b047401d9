"""Channels that change nothing leave a finished flatbuffer, where a run gives the same outputs."""

from __future__ import annotations

import numpy as np

from edgekit.errors import EdgekitError
from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.importers.prove import highest_index, seeded_rows
from edgekit.problem import Problem
from edgekit.runtimes.base import Row, open_runtime
from edgekit.structure.leave_out import leave_out

_ROWS = 4


def without_dead(whole: bytes, runtime: str) -> tuple[bytes, tuple[Problem, ...]]:
    """The flatbuffer to use, and a note of what was saved, or a warning why not.

    Args:
        whole: The finished flatbuffer; what is not int8 stays as it is.
        runtime: On which it is compared bit by bit, as `runtimes.base.open_runtime` names it.
    """
    small = leave_out(whole)
    if small == whole:
        return whole, ()
    before, after = (count.parameters(read(each)) for each in (whole, small))
    said = f"{before - after:,} of {before:,} parameters, {len(whole):,} -> {len(small):,} B"
    if lack := _unlike(whole, small, runtime):
        message = f"channels that seem to change nothing stay ({said}): {lack}"
        return whole, (Problem("warning", "dead", message, "report the model to edgekit"),)
    message = f"channels that change nothing are left out: {said}"
    hint = "nothing needs doing; --set quantize.dead=off keeps them"
    return small, (Problem("note", "dead", message, hint),)


def _unlike(whole: bytes, small: bytes, runtime: str) -> str:
    try:
        wanted, found = (_outputs(each, runtime) for each in (whole, small))
    except EdgekitError as error:
        return error.message
    pairs = (pair for rows in zip(wanted, found, strict=True) for pair in zip(*rows, strict=True))
    same = all(np.array_equal(left, right) for left, right in pairs)
    return "" if same else f"{runtime} computes other outputs without them"


def _outputs(tflite: bytes, runtime: str) -> list[Row]:
    with open_runtime(runtime, tflite) as engine:
        rows = seeded_rows(engine.inputs, 0, _ROWS, highest_index(read(tflite)))
        return [engine.run(row) for row in rows]
