"""Operators that move, pick and repeat values without computing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgekit import _tf
from edgekit.bridge.call import Call

Rule = Callable[[Call], Any]


def _same_values(call: Call) -> Any:
    return call.x


def _transpose(call: Call) -> Any:
    return _tf.tensorflow().transpose(call.x, [0, *(axis + 1 for axis in call.integers(1))])


def _concatenation(call: Call) -> Any:
    parts = [call.full(place) for place in range(len(call.values))]
    return _tf.tensorflow().concat(parts, call.axis(call.options["axis"]))


def _pack(call: Call) -> Any:
    rank = len(call.outputs[0])
    parts = [call.full(place) for place in range(len(call.values))]
    return _tf.tensorflow().stack(parts, call.options["axis"] % rank + 1)


def _unpack(call: Call) -> Any:
    return _tf.tensorflow().unstack(call.x, axis=call.axis(call.options["axis"]))


def _split(call: Call) -> Any:
    axis = call.axes(0, of=1)[0]
    return _tf.tensorflow().split(call.full(1), len(call.outputs), axis)


def _split_v(call: Call) -> Any:
    axis = call.axes(2)[0]
    return _tf.tensorflow().split(call.x, [shape[axis - 1] for shape in call.outputs], axis)


def _slice(call: Call) -> Any:
    begin, size = [0, *call.integers(1)], [-1, *call.outputs[0]]
    return _tf.tensorflow().slice(call.x, begin, size)


def _strided_slice(call: Call) -> Any:
    begin, end, strides = (call.integers(place) for place in (1, 2, 3))
    masks = {
        name: int(call.options.get(name, 0)) << 1
        for name in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    }
    for name in ("begin_mask", "end_mask"):
        masks[name] = int(call.options.get(name, 0)) << 1 | 1  # all of the batch
    if call.options.get("offset"):
        end = [first + length for first, length in zip(begin, end, strict=True)]
    return _tf.tensorflow().strided_slice(call.x, [0, *begin], [0, *end], [1, *strides], **masks)


def _tile(call: Call) -> Any:
    return _tf.tensorflow().tile(call.x, [1, *call.integers(1)])


def _broadcast_to(call: Call) -> Any:
    tf = _tf.tensorflow()
    shape, wanted = call.shapes[0], call.outputs[0]
    x = tf.reshape(call.x, [-1, *[1] * (len(wanted) - len(shape)), *shape])
    return tf.broadcast_to(x, [tf.shape(x)[0], *wanted])


def _fill(call: Call) -> Any:
    tf = _tf.tensorflow()
    x = tf.reshape(call.full(1), [-1, *[1] * len(call.outputs[0])])
    return tf.broadcast_to(x, [tf.shape(x)[0], *call.outputs[0]])


def _gather(call: Call) -> Any:
    tf = _tf.tensorflow()
    axis, batched = int(call.options.get("axis", 0)), int(call.options.get("batch_dims", 0))
    table = call.values[0]
    if isinstance(table, np.ndarray) and axis % table.ndim == 0:
        return tf.gather(table, call.full(1))
    if isinstance(call.values[1], np.ndarray) and batched == 0:
        return tf.gather(call.x, call.values[1], axis=call.axis(axis))
    return tf.gather(call.x, call.full(1), axis=call.axis(axis), batch_dims=batched + 1)


def _embedding_lookup(call: Call) -> Any:
    tf = _tf.tensorflow()
    if isinstance(call.values[1], np.ndarray):
        return tf.gather(call.values[1], call.x)
    return tf.gather(call.full(1), call.x, axis=1, batch_dims=1)


def _gather_nd(call: Call) -> Any:
    return _tf.tensorflow().gather_nd(call.x, call.full(1), batch_dims=1)


def _one_hot(call: Call) -> Any:
    axis = int(call.options.get("axis", -1))
    depth, on, off = int(call.constant(1)), call.constant(2).item(), call.constant(3).item()
    axis = axis if axis < 0 else axis + 1
    return _tf.tensorflow().one_hot(call.x, depth, on, off, axis=axis, dtype=call.dtype)


def _reverse(call: Call) -> Any:
    return _tf.tensorflow().reverse(call.x, call.axes(1))


def _shape(call: Call) -> Any:
    return np.array(call.shapes[0], call.dtype)


def _rank(call: Call) -> Any:
    return np.array(len(call.shapes[0]), call.dtype)


def _range(call: Call) -> Any:
    start, limit, delta = (call.constant(place).item() for place in range(3))
    return np.arange(start, limit, delta, call.dtype)


MOVES: dict[str, Rule] = {
    "RESHAPE": _same_values,
    "SQUEEZE": _same_values,
    "EXPAND_DIMS": _same_values,
    "TRANSPOSE": _transpose,
    "CONCATENATION": _concatenation,
    "PACK": _pack,
    "UNPACK": _unpack,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "TILE": _tile,
    "BROADCAST_TO": _broadcast_to,
    "FILL": _fill,
    "GATHER": _gather,
    "GATHER_ND": _gather_nd,
    "EMBEDDING_LOOKUP": _embedding_lookup,
    "ONE_HOT": _one_hot,
    "REVERSE_V2": _reverse,
    "SHAPE": _shape,
    "RANK": _rank,
    "RANGE": _range,
}
