"""Channels of an int8 network that change nothing leave its flatbuffer, and no output bit changes.

Which they are is found on the program that the C compiler makes of it: channels whose weights are
zero in int8, or that an activation cuts off, hold one value whatever the input is, and what they
add to later sums goes into biases. Those that nobody reads leave with them. A flatbuffer has one
bias for all pixels, so that a channel stays whose sums padding makes differ at the border.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.weights import KINDS, bias_of
from edgekit.compiler.channel_constants import Constants, channels_of
from edgekit.compiler.channel_needs import needed_channels
from edgekit.compiler.fold_constants import sums_of
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.lower import lower
from edgekit.compiler.program import Layer, Program
from edgekit.compiler.requantize import wrap32
from edgekit.errors import TargetError
from edgekit.graph import edit, rewire
from edgekit.graph.graph import Op
from edgekit.graph.read import read
from edgekit.graph.schema import generated
from edgekit.structure.dependencies import Dependencies, dependencies
from edgekit.structure.shrink import own, shrink
from edgekit.structure.units import Mask

Sums = dict[int, NDArray[np.int64]]


def leave_out(tflite: bytes) -> bytes:
    """The flatbuffer without constant and unused channels; itself where there are none.

    Args:
        tflite: In int8; what the C compiler does not know stays as it is.
    """
    graph = read(tflite)
    try:
        program = lower(graph)
    except TargetError:
        return tflite
    known, constants = dependencies(graph), Constants(program)
    keep = ~known.free
    while (lacking := _needed(program, constants, known, keep) & ~keep).any():
        keep |= lacking
    if keep.all():
        return tflite
    small = shrink(tflite, known, keep)
    return _with_biases(small, known, keep, _sums(program, constants, known, keep))


def _needed(program: Program, constants: Constants, known: Dependencies, keep: Mask) -> Mask:
    """Units of which a tensor has a channel that is needed when those of `keep` are."""
    given = [_channels(program, known, keep, value) for value in range(len(program.values))]
    plain = frozenset(range(len(program.layers)))
    needed = np.zeros_like(keep)
    for value, mask in enumerate(needed_channels(program, constants, plain, given)):
        places = known.places.get(program.tensors[value])
        if places is not None:
            needed[places.units[mask] if len(mask) == len(places.units) else places.units] = True
    return needed


def _channels(program: Program, known: Dependencies, keep: Mask, value: int) -> Mask:
    """The channels of a value that are kept; all, where units are no channels."""
    index = program.tensors[value]
    places, channels = known.places.get(index), channels_of(program, value)
    last = len(program.values[value].shape) - 1
    if places is None or places.axis != last:
        return np.ones(channels, bool)
    return keep[places.units]


def _sums(program: Program, constants: Constants, known: Dependencies, keep: Mask) -> Sums:
    """Operator -> what its removed inputs add to its sums, [outputs], where that is not zero."""
    makers = {op.outputs[0]: op for op in known.graph.ops if op.outputs}
    found: Sums = {}
    for layer in program.layers:
        operation, op = layer.operation, makers.get(program.tensors[layer.output])
        if not isinstance(operation, Conv2D) or op is None or op.name not in KINDS:
            continue
        sums = _of(program, constants, known, keep, layer)
        if sums is not None and sums.any():
            found[op.index] = sums
    return found


def _of(
    program: Program, constants: Constants, known: Dependencies, keep: Mask, layer: Layer
) -> NDArray[np.int64] | None:
    source = layer.inputs[0]
    gone = ~_channels(program, known, keep, source) & ~constants.varies[source]
    if not gone.any():
        return None
    assert isinstance(layer.operation, Conv2D)
    return np.asarray(sums_of(layer.operation, constants.of(source), gone)[0])


def _with_biases(small: bytes, known: Dependencies, keep: Mask, sums: Sums) -> bytes:
    """The small flatbuffer with `sums`, of all the outputs that there were, in its biases."""
    if not sums:
        return small
    model = edit.unpack(small)
    for number, added in sums.items():
        op = known.graph.ops[number]
        places = known.places.get(op.outputs[0])
        left = added if places is None else added[keep[places.units]]
        place = KINDS[op.name].bias
        index = own(model, [(number, place)]) if bias_of(op) >= 0 else _new_bias(model, op)
        tensor = model.subgraphs[0].tensors[index]
        bias = edit.constant(model, tensor)
        total = left if bias is None else bias.astype(np.int64) + left
        edit.set_constant(model, tensor, wrap32(total).astype(np.int32))
    return edit.pack(model)


def _new_bias(model: Any, op: Op) -> int:
    """A tensor for the bias of an operator that has none; its scale is what the kernels take."""
    kind, graph = KINDS[op.name], model.subgraphs[0]
    operator = graph.operators[op.index]
    x, kernel = (graph.tensors[int(operator.inputs[i])] for i in (kind.x, kind.kernel))
    index = rewire.add_tensor(graph, kernel, (), "_bias")
    scales = np.asarray(x.quantization.scale)[0] * np.asarray(kernel.quantization.scale)
    edit.set_scale(graph.tensors[index], scales, 0)
    graph.tensors[index].buffer = len(model.buffers)
    model.buffers.append(generated().BufferT())
    operator.inputs = np.array([*operator.inputs[: kind.bias], index], np.int32)
    return index
