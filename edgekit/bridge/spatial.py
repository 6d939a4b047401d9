"""Operators that see a tensor as a picture: pools, paddings, enlargements, moves between axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgekit import _tf
from edgekit.bridge.call import Call


def _average_pool(call: Call) -> Any:
    return _pool(call, _tf.tensorflow().nn.avg_pool2d, call.folded())


def _max_pool(call: Call) -> Any:
    return _pool(call, _tf.tensorflow().nn.max_pool2d, call.folded())


def _l2_pool(call: Call) -> Any:
    tf = _tf.tensorflow()
    return tf.sqrt(_pool(call, tf.nn.avg_pool2d, tf.square(call.folded())))


def _pool(call: Call, function: Callable[..., Any], x: Any) -> Any:
    o = call.options
    window, strides = (o["filter_height"], o["filter_width"]), (o["stride_h"], o["stride_w"])
    return function(x, window, strides, o["padding"])


def _pad(call: Call) -> Any:
    value = call.constant(2).item() if call.given(2) else 0
    return _tf.tensorflow().pad(call.x, _paddings(call), constant_values=value)


def _mirror_pad(call: Call) -> Any:
    return _tf.tensorflow().pad(call.x, _paddings(call), mode=call.options["mode"])


def _paddings(call: Call) -> list[list[int]]:
    return [[0, 0], *call.constant(1).astype(int).tolist()]


def _resize(kernel: str) -> Callable[[Call], Any]:
    def resize(call: Call) -> Any:
        flags = {
            "align_corners": bool(call.options.get("align_corners")),
            "half_pixel_centers": bool(call.options.get("half_pixel_centers")),
        }
        size = call.outputs[0][1:3]
        return getattr(_tf.tensorflow().raw_ops, kernel)(images=call.folded(), size=size, **flags)

    return resize


def _depth_to_space(call: Call) -> Any:
    return _tf.tensorflow().nn.depth_to_space(call.folded(), call.options["block_size"])


def _space_to_depth(call: Call) -> Any:
    return _tf.tensorflow().nn.space_to_depth(call.folded(), call.options["block_size"])


def _space_to_batch(call: Call) -> Any:
    """The blocks come first in the result, then the samples, then their own first axis."""
    tf = _tf.tensorflow()
    block, paddings = call.integers(1), call.constant(2)
    y = tf.space_to_batch(call.folded(), block, paddings)
    rows, inner = call.shapes[0][0], call.outputs[0][1:]
    y = tf.reshape(y, [call.outputs[0][0] // rows, -1, rows, *inner])
    return tf.transpose(y, [1, 0, *range(2, 3 + len(inner))])


def _batch_to_space(call: Call) -> Any:
    tf = _tf.tensorflow()
    block, crops = call.integers(1), call.constant(2)
    rows, inner = call.outputs[0][0], call.shapes[0][1:]
    x = tf.reshape(call.x, [-1, call.shapes[0][0] // rows, rows, *inner])
    x = tf.transpose(x, [1, 0, *range(2, 3 + len(inner))])
    return tf.batch_to_space(tf.reshape(x, [-1, *inner]), block, crops)


def _local_response(call: Call) -> Any:
    o = call.options
    return _tf.tensorflow().nn.lrn(call.folded(), o["radius"], o["bias"], o["alpha"], o["beta"])


SPATIAL: dict[str, Callable[[Call], Any]] = {
    "AVERAGE_POOL_2D": _average_pool,
    "MAX_POOL_2D": _max_pool,
    "L2_POOL_2D": _l2_pool,
    "PAD": _pad,
    "PADV2": _pad,
    "MIRROR_PAD": _mirror_pad,
    "RESIZE_BILINEAR": _resize("ResizeBilinear"),
    "RESIZE_NEAREST_NEIGHBOR": _resize("ResizeNearestNeighbor"),
    "DEPTH_TO_SPACE": _depth_to_space,
    "SPACE_TO_DEPTH": _space_to_depth,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "LOCAL_RESPONSE_NORMALIZATION": _local_response,
}
