"""What stands against the inputs and outputs of a model: their types, and sizes that stay open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgekit.graph.graph import Graph, Tensor
from edgekit.problem import Problem
from edgekit.target.op_table import OpTable


def io_problems(graph: Graph, runtime: OpTable, default: str) -> Iterator[Problem]:
    """Types and shapes at the model's boundary that the runtime's interface cannot carry.

    `default` is the type that a build should have instead.
    """
    sides = {"input": graph.input_tensors(), "output": graph.output_tensors()}

    def refused(tensor: Tensor) -> bool:
        return bool(runtime.io_types) and tensor.dtype not in runtime.io_types

    mends = [f"--set io.{where}={default}" for where in sides if any(map(refused, sides[where]))]
    for where, tensors in sides.items():
        for tensor in tensors:
            if refused(tensor):
                yield Problem(
                    "error",
                    tensor.name,
                    f"{runtime.title} takes no {tensor.dtype} {where}: {tensor.name}",
                    f"build from the float model with {' '.join(mends)}",
                )
            if not runtime.dynamic_shapes and -1 in tensor.signature:
                yield Problem(
                    "error",
                    tensor.name,
                    f"{runtime.title} takes no dynamic shapes: {where} {tensor.name} is "
                    f"{list(tensor.signature)}",
                    "fix every dimension, the batch too, before the model is given to edgekit",
                )


def library_problems(
    graph: Graph, kind: str, what: str, types: Sequence[str], taker: str
) -> list[Problem]:
    """The first input or output that a library of code around the model cannot have, if any.

    Args:
        graph: Of the model.
        kind: Name of the exporter, which is where the problem is.
        what: Is made: `Android library`.
        types: Of which inputs and outputs may be.
        taker: Takes no other: `LiteRT's Java interface`.
    """
    for tensor in (*graph.input_tensors(), *graph.output_tensors()):
        if tensor.dtype not in types:
            reason = f"is {tensor.dtype}, which {taker} does not take"
        elif -1 in tensor.signature[1:]:
            reason = f"has a size that is known only when it runs: {list(tensor.signature)}"
        else:
            continue
        return [
            Problem(
                "error",
                kind,
                f"no {what} can be made: tensor '{tensor.name}' {reason}",
                f"make a model whose inputs and outputs have fixed sizes and are one of "
                f"{', '.join(types)}",
            )
        ]
    return []
