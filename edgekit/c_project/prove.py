"""Proof that the compiled program computes what TensorFlow Lite Micro computes, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.c_project.golden import Golden
from edgekit.compiler.interpret import run_program, run_values
from edgekit.compiler.program import Layer, Program
from edgekit.errors import MissingExtra, TargetError
from edgekit.golden.inputs import Row, vectors
from edgekit.graph.graph import Graph
from edgekit.runtimes.base import open_runtime

_HINT = (
    "this is a fault of edgekit: please report it; the other files of the build are not affected"
)


def prove(program: Program, graph: Graph, tflite: bytes, seed: int = 0) -> Golden:
    """Golden vectors on which program and tflite-micro agree.

    Args:
        program: The compiled model.
        graph: Of `tflite`.
        tflite: The model.
        seed: Of the inputs.

    Returns:
        Inputs and outputs; where there is no tflite-micro for this machine, the program's own.

    Raises:
        TargetError: They differ; it names the first layer that does. Or tflite-micro cannot run
            the model.
    """
    rows = vectors(graph, seed)
    ours = [_shaped(run_program(program, row), graph) for row in rows]
    try:
        theirs = _tflite_micro("tflite-micro", tflite, rows)
    except MissingExtra:
        return Golden(rows, ours, "host")
    wrong = [place for place, pair in enumerate(zip(ours, theirs, strict=True)) if _differ(*pair)]
    if wrong:
        layer = first_wrong(program, graph, tflite, rows[wrong[0]])
        where = f", first seen in layer '{layer.name}' ({layer.kind})" if layer else ""
        raise TargetError(
            f"the compiled model differs from TensorFlow Lite Micro on {len(wrong)} of "
            f"{len(rows)} golden vectors{where}",
            _HINT,
        )
    return Golden(rows, theirs, "tflite-micro")


def first_wrong(program: Program, graph: Graph, tflite: bytes, row: Row) -> Layer | None:
    """The first layer whose output differs from tflite-micro's tensor, None where none does.

    Args:
        program: The compiled model.
        graph: Of `tflite`.
        tflite: The model.
        row: One input.
    """
    order = [index for op in graph.ops for index in op.outputs if index >= 0]
    (kept,) = _tflite_micro("tflite-micro-tensors", tflite, [row])
    theirs = dict(zip(order, kept, strict=True))
    ours = run_values(program, row)
    for layer in program.layers:
        tensor = theirs.get(program.tensors[layer.output])
        value = ours[layer.output]
        same_size = tensor is not None and tensor.nbytes == value.nbytes
        if tensor is not None and same_size and tensor.tobytes() != value.tobytes():
            return layer
    return None


def _tflite_micro(name: str, tflite: bytes, rows: Sequence[Row]) -> list[Row]:
    if name == "tflite-micro":
        with open_runtime(name, tflite, isolated=True) as runtime:
            return list(runtime.map_rows(rows))
    from edgekit.runtimes._children import Children

    with Children(name, tflite) as runtime:
        return list(runtime.map_rows(rows))


def _shaped(row: Row, graph: Graph) -> Row:
    """The same in the shapes of the model's outputs."""
    tensors = graph.output_tensors()
    return tuple(value.reshape(t.shape) for value, t in zip(row, tensors, strict=True))


def _differ(ours: Row, theirs: Row) -> bool:
    pairs = zip(ours, theirs, strict=True)
    return any(one.dtype != two.dtype or one.tobytes() != two.tobytes() for one, two in pairs)
