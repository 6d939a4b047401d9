"""Residual branches that an input may skip, and what skipping saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # contracts that know of gates are listed without numpy
    from edgekit.graph.graph import Graph
    from edgekit.runtimes.base import Row


@dataclass(frozen=True)
class Gates:
    """What a pass leaves: behind the network's answer an output for each gate.

    A gate that gives 0 is closed: its branch adds nothing.

    Attributes:
        layers: Names of the additions, in order of execution.
    """

    layers: tuple[str, ...]


def expected(gates: Gates, graph: Graph, outputs: Sequence[Row]) -> dict[str, Any]:
    """What gates do on rows: as the manifest stores it.

    Args:
        gates: Of the network.
        graph: As it is built.
        outputs: All outputs of the rows, dequantised.
    """
    import numpy as np

    from edgekit.graph import count
    from edgekit.structure.gates import needed_for

    macs, whole = count.layer_macs(graph), count.macs(graph)
    makers = {index: op for op in graph.ops for index in op.outputs}
    saved = []
    for output in graph.outputs[-len(gates.layers) :]:
        answer = output
        while makers[answer].name == "DEQUANTIZE":
            answer = makers[answer].inputs[0]
        gated = next(op for op in graph.ops if op.name == "MUL" and answer in op.inputs)
        branch = needed_for({gated.outputs[0]}, graph.ops, graph.outputs)
        saved.append(sum(macs[place] for place in branch))
    is_open = np.array([[out.max() > 0 for out in row[-len(saved) :]] for row in outputs])
    cost = whole - float(((1 - is_open.mean(axis=0)) * saved).sum())
    return {
        "layers": list(gates.layers),
        "macs": saved,
        "whole": whole,
        "measured": {
            "rows": len(outputs),
            "open": [round(float(share), 6) for share in is_open.mean(axis=0)],
            "expected_macs": round(cost),
            "share": round(cost / whole, 6),
        },
    }
