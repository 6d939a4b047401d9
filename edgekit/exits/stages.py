"""The operators of a network with exits, stage after stage; each stage as a part of its own."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import pairwise
from typing import Any

import numpy as np

from edgekit.graph import edit, rewire
from edgekit.graph.schema import generated


def staged(data: bytes) -> bytes:
    """The flatbuffer with its operators in the order in which exits need them.

    What exit 1 needs comes first, then what exit 2 needs besides, and so on; output 0 needs the
    rest. Quantizers may put conversions of all outputs last.
    """
    model = edit.unpack(data)
    main = model.subgraphs[0]
    stage = _stages(main)
    order = sorted(range(len(main.operators)), key=lambda number: (stage[number], number))
    if order == list(range(len(order))):
        return data
    main.operators = [main.operators[number] for number in order]
    return edit.pack(model)


def _stages(main: Any) -> list[int]:
    """Of each operator: at which exit it is first needed, counted from 0."""
    outputs = [*map(int, main.outputs[1:]), int(main.outputs[0])]
    stage = [len(outputs) - 1] * len(main.operators)
    for number, output in reversed(list(enumerate(outputs))):
        needed = {output}
        for place in reversed(range(len(main.operators))):
            op = main.operators[place]
            if needed.intersection(map(int, op.outputs)):
                needed.update(map(int, op.inputs))
                stage[place] = number
    return stage


def parts(data: bytes, ends: Sequence[int]) -> bytes:
    """A flatbuffer with a subgraph and a signature for each stage, which share the weights.

    Signature `part_1` takes the network's inputs and gives `scores` (of exit 1) and `state_0`, ...:
    what later parts need, and take under the same names. The last part gives `scores` alone.

    Args:
        data: With its operators in order of stages.
        ends: By exit: operators that run until it has answered.
    """
    model = edit.unpack(data)
    main = model.subgraphs[0]
    bounds = [0, *ends, len(main.operators)]
    answers = [*map(int, main.outputs[1:]), int(main.outputs[0])]
    made = {int(o): n for n, op in enumerate(main.operators) for o in op.outputs}
    made |= dict.fromkeys(map(int, main.inputs), -1)
    state: dict[int, str] = {}
    graphs, signatures = [], []
    for number, (first, last) in enumerate(pairwise(bounds)):
        own, later = main.operators[first:last], main.operators[last:]
        given = [t for t in _read(own) if made.get(t, first) < first]
        if number == 0:
            given = [*map(int, main.inputs)]
        behind = _read(later)
        left = [t for t in behind if 0 <= made.get(t, -1) < last]
        for tensor in left:
            state.setdefault(tensor, f"state_{len(state)}")
        names = {int(t): edit.tensor_name(main.tensors[int(t)]) for t in main.inputs} | state
        takes = {names[t]: t for t in given}
        gives = {"scores": answers[number]} | {state[t]: t for t in left}
        graphs.append(_part(main, own, [*takes.values()], [*gives.values()], f"part_{number + 1}"))
        signatures.append(_signature(f"part_{number + 1}", number, takes, gives))
    model.subgraphs, model.signatureDefs = graphs, signatures
    rewire.drop_dead(model)
    return edit.pack(model)


def _read(operators: Sequence[Any]) -> list[int]:
    """What operators read, each once, in order."""
    return list(dict.fromkeys(int(t) for op in operators for t in op.inputs if int(t) >= 0))


def _part(
    main: Any, operators: Sequence[Any], inputs: Sequence[int], outputs: Sequence[int], name: str
) -> Any:
    """A subgraph of some operators, so far with all tensors of the whole one."""
    part = copy(main)
    part.name, part.operators = name.encode(), list(operators)
    part.inputs, part.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
    return part


def _signature(key: str, subgraph: int, inputs: dict[str, int], outputs: dict[str, int]) -> Any:
    made = generated().SignatureDefT()
    made.signatureKey, made.subgraphIndex = key.encode(), subgraph
    made.inputs, made.outputs = rewire.named(inputs), rewire.named(outputs)
    return made
