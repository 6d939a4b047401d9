"""Gates put into a float flatbuffer: residual branches that an input may skip."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.weights import KINDS, bias_of, has_weights
from edgekit.graph import count, edit, rewire
from edgekit.graph.graph import Graph, Op
from edgekit.graph.read import read
from edgekit.structure.adding import Adding
from edgekit.structure.shrink import own

Array = NDArray[Any]
NONE, RELU, RELU6, VALID = 0, 1, 3, 1
"""Of schema.fbs, ActivationFunctionType and Padding."""
OPEN = 6.0
"""What an open gate gives: RELU6 is the only activation whose upper end every runtime has."""


@dataclass(frozen=True)
class Branch:
    """What an addition could do without.

    Attributes:
        addition: Index of the operator that adds it.
        start: Index of the one activation that it reads.
        end: Index of the activation that it gives.
        ops: Indices of its operators.
        macs: Multiply-accumulates of all of them.
    """

    addition: int
    start: int
    end: int
    ops: tuple[int, ...]
    macs: int


@dataclass(frozen=True, eq=False)
class Gate:
    """Two layers: kernels [outputs, inputs] and biases [outputs]; the last has one output."""

    hidden: Array
    hidden_bias: Array
    kernel: Array
    bias: Array


def needed_for(ends: set[int], ops: Sequence[Op], outputs: Sequence[int]) -> tuple[int, ...]:
    """Places in `ops` of those that nobody needs but for the tensors `ends`, which are not read."""
    readers: dict[int, set[int]] = defaultdict(set)
    for place, op in enumerate(ops):
        for index in op.inputs:
            readers[index].add(place)
    found: set[int] = set()
    for place in reversed(range(len(ops))):
        given = [index for index in ops[place].outputs if index not in ends]
        if all(index not in outputs and readers[index] <= found for index in given) and (
            given == [] or any(readers[index] for index in given)
        ):
            found.add(place)
    return tuple(sorted(found))


def branches(graph: Graph) -> tuple[Branch, ...]:
    """Of each addition of two activations of one shape the dearer operand that can be skipped."""
    found = []
    for op in graph.ops:
        if op.name == "ADD" and len(op.inputs) == 2:
            sides = [_branch(graph, op, index) for index in op.inputs]
            able = [side for side in sides if side is not None]
            if able:
                found.append(max(able, key=lambda side: side.macs))
    return tuple(found)


def _branch(graph: Graph, addition: Op, end: int) -> Branch | None:
    read_by = [op.index for op in graph.ops if end in op.inputs]
    maker = next((op for op in graph.ops if end in op.outputs), None)
    if maker is None or read_by != [addition.index] or not _scalable(graph, maker):
        return None
    shapes = {graph.tensors[index].shape for index in addition.inputs}
    ops = needed_for({end}, graph.ops, graph.outputs)
    made = {index for number in ops for index in graph.ops[number].outputs}
    taken = {index for number in ops for index in graph.ops[number].inputs if index >= 0} - made
    starts = [index for index in taken if graph.tensors[index].data is None]
    macs = count.layer_macs(graph)
    if len(shapes) != 1 or len(starts) != 1 or len(graph.tensors[starts[0]].shape) != 4:
        return None
    return Branch(addition.index, starts[0], end, ops, sum(macs[number] for number in ops))


def _scalable(graph: Graph, op: Op) -> bool:
    """Whether a factor of the output can be one of the weights."""
    active = op.options.get("fused_activation_function", "NONE")
    return has_weights(graph, op) and active in ("NONE", "RELU")


def add_gates(
    data: bytes, found: Sequence[Branch], gates: Sequence[Gate]
) -> tuple[bytes, tuple[int, ...]]:
    """The flatbuffer with gates, and the tensor index of what each gives: 0, closed, to 6, open.

    What a branch gives is multiplied by its gate before it is added; its last layer is divided by
    6, so that nothing changes where the gate is open. A gate takes the mean over all places of
    what the branch reads. Tensors keep their indices; operators move.

    Args:
        data: Float.
        found: Branches to gate, as `branches` gives them.
        gates: Of each.
    """
    graph, model = read(data), edit.unpack(data)
    main = model.subgraphs[0]
    makers = {index: op.index for op in graph.ops for index in op.outputs}
    behind: dict[int, list[Any]] = defaultdict(list)
    given = []
    for number, (branch, gate) in enumerate(zip(found, gates, strict=True), start=1):
        new = Adding(model, f"gate_{number}", branch.start)
        operators = _gate(new, graph, branch.start, gate)
        behind[makers.get(branch.start, -1)] += operators
        given.append(int(operators[-1].outputs[0]))
        through = new.activation("passed", graph.tensors[branch.end].shape[1:])
        both = (branch.end, given[-1])
        behind[makers[branch.end]].append(
            rewire.operator(model, "MUL", both, through, "MulOptions")
        )
        inputs = np.array(main.operators[branch.addition].inputs, np.int32)
        main.operators[branch.addition].inputs = np.where(inputs == branch.end, through, inputs)
        _divide(model, graph.ops[makers[branch.end]])
    old = list(main.operators)
    main.operators = [*behind[-1], *(op for n, each in enumerate(old) for op in (each, *behind[n]))]
    return edit.pack(model), tuple(given)


def _gate(new: Adding, graph: Graph, start: int, gate: Gate) -> list[Any]:
    height, width, channels = graph.tensors[start].shape[1:]
    mean = new.activation("mean", (1, 1, channels))
    size = {"filterHeight": height, "filterWidth": width, "padding": VALID}
    pool = rewire.operator(
        new.model, "AVERAGE_POOL_2D", (start,), mean, "Pool2DOptions", strideH=1, strideW=1, **size
    )
    hidden = _point(new, mean, "hidden", gate.hidden, gate.hidden_bias, RELU)
    last = _point(new, int(hidden.outputs[0]), "open", gate.kernel, gate.bias, RELU6)
    return [pool, hidden, last]


def _point(new: Adding, x: int, name: str, kernel: Array, bias: Array, activation: int) -> Any:
    """A convolution of one place."""
    inputs = (
        x,
        new.constant(f"{name}/kernel", kernel[:, None, None, :]),
        new.constant(f"{name}/bias", bias),
    )
    return rewire.operator(
        new.model,
        "CONV_2D",
        inputs,
        new.activation(name, (1, 1, len(bias))),
        "Conv2DOptions",
        strideH=1,
        strideW=1,
        padding=VALID,
        fusedActivationFunction=activation,
    )


def _divide(model: Any, op: Op) -> None:
    """Divide what a layer gives by 6."""
    places = [KINDS[op.name].kernel, *([KINDS[op.name].bias] if bias_of(op) >= 0 else [])]
    for place in places:
        tensor = model.subgraphs[0].tensors[own(model, [(op.index, place)])]
        values = edit.constant(model, tensor)
        assert values is not None, "a layer with weights"
        edit.set_constant(model, tensor, (values / OPEN).astype(np.float32))


def harden(data: bytes, gates: Sequence[int], slope: float) -> bytes:
    """The flatbuffer with gates that are open or closed, and as outputs behind the others.

    A gate that gave half or more gives all. In between is what lies within 3 / `slope` of half.
    """
    model = edit.unpack(data)
    main = model.subgraphs[0]
    for gate in gates:
        op = next(op for op in main.operators if gate in map(int, op.outputs))
        kernel, bias = (main.tensors[int(index)] for index in op.inputs[1:3])
        values, offset = edit.constant(model, kernel), edit.constant(model, bias)
        assert values is not None, "add_gates made it"
        assert offset is not None, "add_gates made it"
        # steep enough, and yet no steeper than int8 scores of its input can tell apart
        edit.set_constant(model, kernel, values * np.float32(slope))
        middle = np.float32(OPEN / 2)
        edit.set_constant(model, bias, (offset - middle) * np.float32(slope) + middle)
    main.outputs = np.array([*main.outputs, *gates], np.int32)
    names = {f"gate_{number}": gate for number, gate in enumerate(gates, start=1)}
    for signature in model.signatureDefs or []:
        signature.outputs = [*signature.outputs, *rewire.named(names)]
    return edit.pack(model)


def initial(random: np.random.Generator, channels: int, hidden: int) -> Gate:
    """A gate with random weights (He et al. 2015, arXiv:1502.01852) that is open for any input."""
    return Gate(
        random.normal(0, math.sqrt(2 / channels), (hidden, channels)),
        np.zeros(hidden),
        random.normal(0, 0.1 * math.sqrt(2 / hidden), (1, hidden)),
        np.full(1, 0.75 * OPEN),
    )
