"""Strips of four channels: as large as the arena has room for, and not larger."""

from __future__ import annotations

from c_project import compiled
from test_dsp import picture

from edgekit.compiler.cores import core_of
from edgekit.compiler.kernels.depthwise_conv_2d.depthwise_conv_2d import DepthwiseConv2D
from edgekit.compiler.lower import lower
from edgekit.compiler.plan_memory import needs, plan_memory
from edgekit.compiler.program import Program
from edgekit.compiler.widen import widen
from edgekit.graph.read import read

DSP = core_of("cortex-m4")


def planes(program: Program) -> list[int]:
    return [
        layer.operation.planes
        for layer in program.layers
        if isinstance(layer.operation, DepthwiseConv2D)
    ]


def test_a_layer_beside_a_larger_one_takes_what_that_one_needs() -> None:
    program = lower(read(picture("strips"), "made.tflite"))
    before = plan_memory(program, DSP)
    wide, plan = widen(program, DSP)
    assert planes(program) == [1]
    assert planes(wide) == [4]
    assert plan.arena <= before.arena * 1.05
    assert plan == plan_memory(wide, DSP)
    assert max(needs(wide, DSP)) <= plan.arena


def test_what_the_arena_has_no_room_for_stays() -> None:
    """A picture whose longer side must be the inner loop's does not fit four times."""
    program = lower(read(picture("along the other side", 1), "made.tflite"))
    wide, plan = widen(program, DSP)
    assert wide is program
    assert plan == plan_memory(program, DSP)


def test_other_cores_and_few_channels_stay() -> None:
    program = lower(read(picture("strips"), "made.tflite"))
    assert widen(program, core_of("cortex-m3"))[0] is program
    assert planes(compiled(picture("fewer than four channels"), "cortex-m4").program) == [1]
