"""Working memory that makes layers faster, where the arena has it anyway."""

from __future__ import annotations

from dataclasses import replace

from edgekit.compiler.cores import Core
from edgekit.compiler.kernels.depthwise_conv_2d.depthwise_conv_2d import DepthwiseConv2D
from edgekit.compiler.plan_memory import MemoryPlan, needs, plan_memory
from edgekit.compiler.program import Program

_GROWTH = 1.05
"""Of the arena, for all layers together."""
_LEAST, _MOST, _STEP = 2048, 8192, 128
"""Bytes of working memory that are tried for each layer."""
_BESIDES = 64
"""Bytes that a layer needs besides its strip, at most."""


def widen(program: Program, core: Core) -> tuple[Program, MemoryPlan]:
    """The program and its plan, with four channels at a time in depthwise convolutions of `dsp`.

    Each layer takes what the arena has room for while it runs, but no more than `_MOST`, or what
    was found by bisection if all that cannot be placed.
    """
    found = program, plan_memory(program, core)
    if core.isa != "dsp":
        return found
    room = int(found[1].arena * _GROWTH)
    low, high, strip = _LEAST, _MOST, _MOST
    while low <= high:
        wide = _wide(program, core, room, strip)
        if wide is program:
            break
        plan = plan_memory(wide, core)
        if plan.arena <= room:
            found, low = (wide, plan), strip + _STEP
        else:
            high = strip - _STEP
        strip = (low + high) // 2 // _STEP * _STEP
    return found


def _wide(program: Program, core: Core, room: int, strip: int) -> Program:
    """The same program where no layer changes."""
    layers, taken = list(program.layers), needs(program, core)
    for place, layer in enumerate(program.layers):
        if not isinstance(layer.operation, DepthwiseConv2D):
            continue
        free = room - taken[place] + layer.operation.scratch(core)
        operation = layer.operation.wide(min(strip, free - _BESIDES))
        if operation is not layer.operation and operation.scratch(core) <= free:
            layers[place] = replace(layer, operation=operation)
    return program.with_layers(layers) if tuple(layers) != program.layers else program
