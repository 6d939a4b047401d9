"""Working memory that makes layers faster, where the arena has it anyway."""

from __future__ import annotations

from dataclasses import replace

from edgekit.compiler.cores import Core
from edgekit.compiler.kernels.depthwise_conv_2d.depthwise_conv_2d import DepthwiseConv2D
from edgekit.compiler.plan_memory import MemoryPlan, needs, plan_memory
from edgekit.compiler.program import Program

_GROWTH = 1.05
"""Of the arena, for all layers together."""
_STRIPS = 8192, 4096, 3328, 3072, 2304
"""Bytes of working memory that are enough for a layer, from the first try to the last."""


_BESIDES = 64
"""Bytes of working memory that a layer needs besides its strip, at most."""


def widen(program: Program, core: Core) -> tuple[Program, MemoryPlan]:
    """The program and its plan, with four channels at a time in depthwise convolutions of `dsp`.

    Each layer takes what the arena has room for while it runs; less, if all that cannot be placed.
    """
    plan = plan_memory(program, core)
    if core.isa != "dsp":
        return program, plan
    room = int(plan.arena * _GROWTH)
    for strip in _STRIPS:
        wide = _wide(program, core, room, strip)
        planned = plan_memory(wide, core)
        if planned.arena <= room:
            return wide, planned
    return program, plan


def _wide(program: Program, core: Core, room: int, strip: int) -> Program:
    layers, taken = list(program.layers), needs(program, core)
    for place, layer in enumerate(program.layers):
        if not isinstance(layer.operation, DepthwiseConv2D):
            continue
        free = room - taken[place] + layer.operation.scratch(core)
        operation = layer.operation.wide(min(strip, free - _BESIDES))
        if operation.scratch(core) <= free:
            layers[place] = replace(layer, operation=operation)
    return program.with_layers(layers)
