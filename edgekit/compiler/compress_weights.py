"""Weights with few values are stored in few bits, where counting shows that this pays.

They are decoded a few channels at a time while the layer runs, so nothing but a tile of columns
more is needed in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgekit.compiler.cores import Core, Isa
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.kernels.gemm import gemm
from edgekit.compiler.kernels.gemm.coding import Coding, code
from edgekit.compiler.program import Layer, Program

_MAC: dict[Isa, float] = {"portable": 5.5, "thumb2": 1.4, "dsp": 1.1, "mve": 0.7}
"""Instructions of a multiply-accumulate of the matrix kernels, all told."""
_DECODE: dict[Isa, float] = {"portable": 7.0, "thumb2": 7.0, "dsp": 3.2, "mve": 7.0}
"""Instructions that decode a weight."""
_CALL = 45
"""Instructions that begin and end the work on four channels of two pixels."""
_CODE_BYTES = 520
"""Of the decoder and of the loop over tiles, once in a program."""
_SLOWER = 1.2
"""As many times the instructions are taken for fewer bytes, by `balanced`."""


@dataclass(frozen=True)
class StoredWeights:
    """How the weights of a layer are stored.

    Attributes:
        layer: Its name.
        form: `plain`, `16 values a tensor`, `16 values a channel`.
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
    found = {place: _coding(layer, core) for place, layer in enumerate(program.layers)}
    codings = {place: coding for place, coding in found.items() if coding is not None}
    chosen = _choose(program, core, codings)
    if sum(_saved(program.layers[place], codings[place], core) for place in chosen) < _CODE_BYTES:
        chosen = frozenset()
    layers = [
        _stored(layer, codings[place]) if place in chosen else layer
        for place, layer in enumerate(program.layers)
    ]
    records = [_record(layer, core) for layer in layers if isinstance(layer.operation, Conv2D)]
    return program.with_layers(layers), tuple(records)


def _coding(layer: Layer, core: Core) -> Coding | None:
    operation = layer.operation
    if not isinstance(operation, Conv2D) or operation.border or core.optimize == "speed":
        return None
    coding = code(operation.matrix.weights, core.isa)
    return coding if coding and _saved(layer, coding, core) > 0 else None


def _choose(program: Program, core: Core, codings: dict[int, Coding]) -> frozenset[int]:
    """The places of layers to code: the most bytes an instruction first, while time allows."""
    plain = sum(_instructions(layer, core) for layer in program.layers)
    more = {
        place: _instructions(_stored(program.layers[place], coding), core)
        - _instructions(program.layers[place], core)
        for place, coding in codings.items()
    }
    room = plain * (_SLOWER - 1) if core.optimize == "balanced" else float("inf")
    chosen = set()
    for place in sorted(
        codings, key=lambda at: -_saved(program.layers[at], codings[at], core) / max(more[at], 1)
    ):
        if more[place] <= room:
            chosen.add(place)
            room -= more[place]
    return frozenset(chosen)


def _stored(layer: Layer, coding: Coding) -> Layer:
    assert isinstance(layer.operation, Conv2D)
    return replace(layer, operation=replace(layer.operation, coding=coding))


def _plain_bytes(operation: Conv2D, core: Core) -> int:
    return int(gemm.pack(operation.matrix.weights, core.isa).nbytes)


def _saved(layer: Layer, coding: Coding, core: Core) -> int:
    assert isinstance(layer.operation, Conv2D)
    return _plain_bytes(layer.operation, core) - coding.nbytes


def _instructions(layer: Layer, core: Core) -> float:
    """Of a run of the layer, estimated; depthwise taps take about four times as many."""
    operation = layer.operation
    if not isinstance(operation, Conv2D):
        return operation.macs() * max(_MAC[core.isa], 3.5)
    work = operation.macs() * _MAC[core.isa]
    if operation.coding is None:
        return work
    window, matrix = operation.window, operation.matrix
    tiles = -(-window.pixels // operation.tile(core))
    calls = -(-window.pixels // gemm.COLUMNS[core.isa]) * -(-matrix.channels // 4)
    return work + tiles * matrix.weights.size * _DECODE[core.isa] + calls * _CALL


def _record(layer: Layer, core: Core) -> StoredWeights:
    operation = layer.operation
    assert isinstance(operation, Conv2D)
    plain, coding = _plain_bytes(operation, core), operation.coding
    form = "plain"
    if coding is not None:
        form = f"16 values a {'channel' if coding.each else 'tensor'}"
    without = replace(layer, operation=replace(operation, coding=None))
    return StoredWeights(
        layer.name,
        form,
        plain,
        plain if coding is None else coding.nbytes,
        round(_instructions(without, core)),
        round(_instructions(layer, core)),
    )
