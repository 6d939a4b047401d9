"""Rewrites of a program that compute the same in fewer passes over memory."""

from __future__ import annotations

from dataclasses import replace

from edgekit.compiler.kernels.add.add import Add
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.program import Layer, Program


def fuse(program: Program) -> Program:
    """The program with every rewrite that applies."""
    return fuse_additions(program)


def fuse_additions(program: Program) -> Program:
    """An addition becomes the end of the convolution before it, so its operand needs no room."""
    layers = list(program.layers)
    for layer in program.layers:
        if isinstance(layer.operation, Add) and len(set(layer.inputs)) == 2:
            _fuse_addition(program, layers, layer)
    return program.with_layers(layers)


def _fuse_addition(program: Program, layers: list[Layer], addition: Layer) -> None:
    place = layers.index(addition)
    before = layers[place - 1] if place else None
    if before is None or before.output not in addition.inputs or not program.alone(before.output):
        return
    operation = before.operation
    if not isinstance(operation, Conv2D) or operation.add is not None:
        return
    assert isinstance(addition.operation, Add)
    first = addition.inputs[0] == before.output
    add = addition.operation if first else addition.operation.swapped()
    other = addition.inputs[1 if first else 0]
    if other in before.inputs and len(before.inputs) > 1:
        return
    layers[place - 1 : place + 1] = [
        replace(
            before,
            operation=operation.with_add(add, program.values[addition.output].shape),
            inputs=(*before.inputs, other),
            output=addition.output,
            fused=(*before.fused, addition.kind),
        )
    ]
