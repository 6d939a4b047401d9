"""The layers of tf_keras that stand for operators with weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.call import CannotLift, Shape
from edgekit.bridge.weights import KINDS, multiplier
from edgekit.graph.graph import Graph, Op


def make(graph: Graph, op: Op, name: str, biased: bool) -> Any:
    """The operator's layer, without its weights and its activation.

    Raises:
        CannotLift: No layer of tf_keras does what the options say.
    """
    return _MAKERS[op.name](graph, op, {"name": name, "use_bias": biased})


def _shape(graph: Graph, op: Op) -> Shape:
    return graph.tensors[op.inputs[KINDS[op.name].kernel]].shape


def _conv(graph: Graph, op: Op, settings: dict[str, Any]) -> Any:
    out, height, width, channels = _shape(graph, op)
    groups = graph.tensors[op.inputs[0]].shape[3] // channels
    settings |= {"groups": groups} | _window(op)
    return _tf.tf_keras().layers.Conv2D(out, (height, width), **settings)


def _depthwise(graph: Graph, op: Op, settings: dict[str, Any]) -> Any:
    size, window = _shape(graph, op)[1:3], _window(op)
    settings |= {"depth_multiplier": multiplier(graph, op)} | window
    return _tf.tf_keras().layers.DepthwiseConv2D(size, **settings)


def _dense(graph: Graph, op: Op, settings: dict[str, Any]) -> Any:
    if op.options.get("weights_format", "DEFAULT") != "DEFAULT":
        raise CannotLift(f"its weights are stored {op.options['weights_format']}")
    return _tf.tf_keras().layers.Dense(_shape(graph, op)[0], **settings)


def _conv_transpose(graph: Graph, op: Op, settings: dict[str, Any]) -> Any:
    out, *size, _ = _shape(graph, op)
    source, result = (graph.tensors[i].shape[1:3] for i in (op.inputs[2], op.outputs[0]))
    strides, padding = (op.options["stride_h"], op.options["stride_w"]), op.options["padding"]
    paddings = [
        _output_padding(padding, *sizes)
        for sizes in zip(size, strides, source, result, strict=True)
    ]
    if any(padding is not None for padding in paddings):
        settings |= {"output_padding": tuple(padding or 0 for padding in paddings)}
    settings |= {"strides": strides, "padding": padding.lower()}
    return _tf.tf_keras().layers.Conv2DTranspose(out, tuple(size), **settings)


def _output_padding(padding: str, size: int, stride: int, source: int, result: int) -> int | None:
    """What Keras adds to the smallest result; None: the size is the one it takes by itself."""
    usual = source * stride + (max(size - stride, 0) if padding == "VALID" else 0)
    if result == usual:
        return None
    return result - (source - 1) * stride - size + (2 * (size // 2) if padding == "SAME" else 0)


def _conv_3d(graph: Graph, op: Op, settings: dict[str, Any]) -> Any:
    o, (*size, _, out) = op.options, _shape(graph, op)
    settings |= {
        "strides": (o["stride_d"], o["stride_h"], o["stride_w"]),
        "dilation_rate": (o["dilation_d_factor"], o["dilation_h_factor"], o["dilation_w_factor"]),
        "padding": o["padding"].lower(),
    }
    return _tf.tf_keras().layers.Conv3D(out, tuple(size), **settings)


def _window(op: Op) -> dict[str, Any]:
    """The layer's settings; where `thinned`, it visits every place."""
    thin = thinned(op)
    return {
        "strides": (1, 1) if thin else _strides(op),
        "dilation_rate": _dilations(op),
        "padding": "valid" if thin else op.options["padding"].lower(),
    }


def _strides(op: Op) -> tuple[int, int]:
    return op.options["stride_h"], op.options["stride_w"]


def _dilations(op: Op) -> tuple[int, int]:
    return op.options.get("dilation_h_factor", 1), op.options.get("dilation_w_factor", 1)


def thinned(op: Op) -> bool:
    """Whether the layer has to visit every place, and its output is thinned out afterwards.

    TensorFlow has no strides together with dilation, and no unequal strides in depthwise layers.
    """
    if op.name not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return False
    unequal = op.name == "DEPTHWISE_CONV_2D" and len(set(_strides(op))) > 1
    return unequal or (max(_strides(op)) > 1 and max(_dilations(op)) > 1)


def thinning(graph: Graph, op: Op) -> tuple[NDArray[Any], tuple[int, int]]:
    """Paddings [4, 2] for a layer that visits every place, and the steps to take in its output."""
    paddings = np.zeros((4, 2), np.int32)
    if op.options["padding"] == "SAME":
        kernel, source = _shape(graph, op)[1:3], graph.tensors[op.inputs[0]].shape[1:3]
        sizes = zip(source, kernel, _strides(op), _dilations(op), strict=True)
        for axis, (size, window, stride, dilation) in enumerate(sizes, start=1):
            reach = (-(-size // stride) - 1) * stride + (window - 1) * dilation + 1
            total = max(reach - size, 0)
            paddings[axis] = total // 2, total - total // 2
    return paddings, _strides(op)


_MAKERS: dict[str, Callable[[Graph, Op, dict[str, Any]], Any]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "TRANSPOSE_CONV": _conv_transpose,
    "CONV_3D": _conv_3d,
}
