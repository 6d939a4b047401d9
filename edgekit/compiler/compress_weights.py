"""Weights with few values, or few that are not zero, go into few bits where counting shows a gain.

They are decoded a few channels at a time while the layer runs, so nothing but a tile of columns
more is needed in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgekit.compiler.coding_cost import instructions
from edgekit.compiler.cores import Core
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.kernels.gemm import layout
from edgekit.compiler.kernels.gemm.coding import Coding, code
from edgekit.compiler.program import Layer, Program

_CODE_BYTES = 520
"""Of the decoder and of the loop over tiles, once in a program."""
_LOOP_BYTES = 1100
"""Of the matrix loop in assembly, which is another one for coded layers."""
_SLOWER = 1.2
"""As many times the instructions are taken for fewer bytes, by `balanced`."""


@dataclass(frozen=True)
class StoredWeights:
    """How the weights of a layer are stored.

    Attributes:
        layer: Its name.
        form: `plain`, or as a `Form` calls itself: `16 values a tensor`.
        bytes_plain: In flash as they are.
        bytes_stored: As they are stored.
        instructions_plain: Estimated, of the layer, with plain weights.
        instructions_stored: With the weights as they are stored.
    """

    layer: str
    form: str
    bytes_plain: int
    bytes_stored: int
    instructions_plain: int
    instructions_stored: int


def compress_weights(program: Program, core: Core) -> tuple[Program, tuple[StoredWeights, ...]]:
    """The program with weights in their shortest form, and what was decided for each layer."""
    plans = [_plan(program, core, scaled) for scaled in (False, True)]
    best = max(plans, key=lambda plan: _gain(program, core, plan))
    if _gain(program, core, best) <= 0:
        best = {}
    layers = [
        _stored(layer, best[place]) if place in best else layer
        for place, layer in enumerate(program.layers)
    ]
    records = [_record(layer, core) for layer in layers if isinstance(layer.operation, Conv2D)]
    return program.with_layers(layers), tuple(records)


def _plan(program: Program, core: Core, scaled: bool) -> dict[int, Coding]:
    """Codes by the places of layers: the most bytes an instruction first, while time allows.

    Args:
        program: With plain weights.
        core: What it is made for.
        scaled: Whether tables may have to be made: that takes fewer bytes and more time.
    """
    found = {place: _coding(layer, core, scaled) for place, layer in enumerate(program.layers)}
    codings = {place: coding for place, coding in found.items() if coding is not None}
    costs = {
        place: _costs(program.layers[place], coding, core) for place, coding in codings.items()
    }
    plain = sum(instructions(layer, core) for layer in program.layers)
    room = plain * (_SLOWER - 1) if core.optimize == "balanced" else float("inf")
    plan = {}
    for place in sorted(codings, key=lambda at: -costs[at][0] / max(costs[at][1], 1)):
        if costs[place][1] <= room:
            plan[place] = codings[place]
            room -= costs[place][1]
    return plan


def _coding(layer: Layer, core: Core, scaled: bool) -> Coding | None:
    operation = layer.operation
    if not isinstance(operation, Conv2D) or operation.border or core.optimize == "speed":
        return None
    matrix = operation.matrix
    many = scaled and len(matrix.by) > 1
    scales = matrix.by.multiplier * 2.0**matrix.by.shift if many else None
    coding = code(matrix.weights, core.isa, scales)
    return coding if coding and _saved(layer, coding, core) > 0 else None


def _costs(layer: Layer, coding: Coding, core: Core) -> tuple[int, float]:
    """Bytes that a code saves, instructions that it takes."""
    more = instructions(_stored(layer, coding), core) - instructions(layer, core)
    return _saved(layer, coding, core), more


def _gain(program: Program, core: Core, plan: dict[int, Coding]) -> int:
    """Bytes saved, less those of the code that runs coded layers.

    Where plain ones are left, there is a second matrix loop.
    """
    saved = sum(_saved(program.layers[place], coding, core) for place, coding in plan.items())
    matrices = [isinstance(layer.operation, Conv2D) for layer in program.layers]
    second = _LOOP_BYTES if core.isa == "dsp" and len(plan) < sum(matrices) else 0
    return saved - _CODE_BYTES - second


def _stored(layer: Layer, coding: Coding) -> Layer:
    assert isinstance(layer.operation, Conv2D)
    return replace(layer, operation=replace(layer.operation, coding=coding))


def _plain_bytes(operation: Conv2D, core: Core) -> int:
    return int(layout.pack(operation.matrix.weights, core.isa).nbytes)


def _saved(layer: Layer, coding: Coding, core: Core) -> int:
    assert isinstance(layer.operation, Conv2D)
    return _plain_bytes(layer.operation, core) - coding.nbytes


def _record(layer: Layer, core: Core) -> StoredWeights:
    operation = layer.operation
    assert isinstance(operation, Conv2D)
    plain, coding = _plain_bytes(operation, core), operation.coding
    form = "plain" if coding is None else str(coding.form)
    without = replace(layer, operation=replace(operation, coding=None))
    return StoredWeights(
        layer.name,
        form,
        plain,
        plain if coding is None else coding.nbytes,
        round(instructions(without, core)),
        round(instructions(layer, core)),
    )
