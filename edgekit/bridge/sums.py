"""Operators that compute along axes: reductions, products of matrices, an LSTM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgekit import _tf
from edgekit.bridge.call import Call, CannotLift, function

Rule = Callable[[Call], Any]


def _reduction(path: str) -> Rule:
    def reduce(call: Call) -> Any:
        return function(path)(call.x, axis=call.axes(1), keepdims=True)

    return reduce


def _arg(path: str) -> Rule:
    return lambda call: function(path)(call.x, axis=call.axes(1)[0], output_type=call.dtype)


def _top_k(call: Call) -> Any:
    values, indices = _tf.tensorflow().math.top_k(call.x, call.integers(1)[0])
    return [values, indices]


def _cumsum(call: Call) -> Any:
    flags = {name: bool(call.options.get(name)) for name in ("exclusive", "reverse")}
    return _tf.tensorflow().cumsum(call.x, call.axes(1)[0], **flags)


def _batch_matmul(call: Call) -> Any:
    x, y = call.aligned(0, 1)
    flags = {"transpose_a": "adj_x", "transpose_b": "adj_y"}
    wanted = {flag: bool(call.options.get(name)) for flag, name in flags.items()}
    return _tf.tensorflow().matmul(x, y, **wanted)


def _fully_connected(call: Call) -> Any:
    """Of two computed tensors; with constant weights it is a Dense layer."""
    tf = _tf.tensorflow()
    y = tf.matmul(
        tf.reshape(call.x, [-1, np.prod(call.shapes[0]) // call.shapes[1][-1], call.shapes[1][-1]]),
        call.full(1),
        transpose_b=True,
    )
    return y + call.full(2)[:, None] if call.given(2) else y


def _lstm(call: Call) -> Any:
    """Input weights 1-4, recurrent 5-8, biases 12-15; i, f, c, o. A run starts from zero.

    Source: tensorflow/lite/kernels/lstm_shared.h, unidirectional_sequence_lstm.cc.
    """
    tf, options = _tf.tensorflow(), call.options
    if not call.given(1) or any(map(call.given, (*range(9, 12), 16, 17, *range(20, 24)))):
        raise CannotLift("its LSTM is coupled, or has peepholes, a projection or normalization")
    inner, clip = options["fused_activation_function"], options.get("cell_clip", 0.0)
    if inner != "TANH":
        raise CannotLift(f"its LSTM has the activation {inner}")
    kernels = [np.concatenate([call.constant(p) for p in range(p, p + 4)]) for p in (1, 5, 12)]
    x = call.x if options.get("time_major") else tf.transpose(call.x, [0, 2, 1, 3])
    states: list[Any] = []
    h, c = 0.0, 0.0
    for step in tf.unstack(x, axis=1):
        z = tf.matmul(step, kernels[0], transpose_b=True) + kernels[2]
        z = z + tf.matmul(h, kernels[1], transpose_b=True) if states else z
        i, f, g, o = tf.split(z, 4, axis=-1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        c = tf.clip_by_value(c, -clip, clip) if clip > 0 else c
        h = tf.sigmoid(o) * tf.tanh(c)
        states.append(h)
    return tf.stack(states, axis=1 if options.get("time_major") else 2)


SUMS: dict[str, Rule] = {
    "MEAN": _reduction("reduce_mean"),
    "SUM": _reduction("reduce_sum"),
    "REDUCE_MAX": _reduction("reduce_max"),
    "REDUCE_MIN": _reduction("reduce_min"),
    "REDUCE_PROD": _reduction("reduce_prod"),
    "REDUCE_ANY": _reduction("reduce_any"),
    "REDUCE_ALL": _reduction("reduce_all"),
    "ARG_MAX": _arg("argmax"),
    "ARG_MIN": _arg("argmin"),
    "TOPK_V2": _top_k,
    "CUMSUM": _cumsum,
    "BATCH_MATMUL": _batch_matmul,
    "FULLY_CONNECTED": _fully_connected,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
