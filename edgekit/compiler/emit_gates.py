"""The C of a network with gates: a branch whose gate is closed is not run.

A closed gate gives 0, and what is multiplied by it is 0 whatever the branch gives: filling that
value in is the same, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.compiler.plan_memory import MemoryPlan
from edgekit.compiler.program import Layer, Program
from edgekit.errors import TargetError
from edgekit.structure.gates import needed_for


def calls(program: Program, plan: MemoryPlan, symbols: Sequence[str], gates: int) -> list[str]:
    """Statements that run a program in an arena; the last `gates` outputs are gates."""
    guard: dict[int, str] = {}
    ends: dict[int, str] = {}
    for gate in program.outputs[len(program.outputs) - gates :]:
        place = _gated(program, gate)
        value = program.values[gate]
        if value.dtype != "int8":
            raise TargetError(
                f"the gate '{value.name}' answers in {value.dtype}",
                "give the model int8 outputs, or leave skip out",
            )
        test = f"((int8_t *)arena)[{plan.offsets[gate]}] > {value.zero_point}"
        output = program.layers[place].output
        reads = [_Reads(layer) for layer in program.layers]
        guard |= dict.fromkeys(needed_for({output}, reads, program.outputs), test)  # type: ignore[arg-type]
        ends[place] = _filled(program, plan, output)
    lines = []
    for place, symbol in enumerate(symbols):
        call = f"{symbol}((int8_t *)arena);"
        if place not in guard:
            lines.append(f"    {call}")
            continue
        lines += [f"    if ({guard[place]})", f"        {call}"]
        if place in ends:
            lines += ["    else", f"        {ends[place]}"]
    return lines


class _Reads:
    """A layer as a graph's operator: what it reads and gives."""

    def __init__(self, layer: Layer) -> None:
        self.inputs, self.outputs = layer.inputs, (layer.output,)


def _gated(program: Program, gate: int) -> int:
    """The place of the multiplication by a gate."""
    for place, layer in enumerate(program.layers):
        if layer.kind == "MUL" and gate in layer.inputs:
            return place
    raise TargetError(
        f"nothing is multiplied by the gate '{program.values[gate].name}'",
        "this is a fault of edgekit: please report it with the model",
    )


def _filled(program: Program, plan: MemoryPlan, number: int) -> str:
    value = program.values[number]
    at = f"(int8_t *)arena + {plan.offsets[number]}"
    return f"memset({at}, {value.zero_point}, {value.nbytes});"
