"""Operators that compute each value by itself, or along the last axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgekit import _tf
from edgekit.bridge.call import Call, function

Rule = Callable[[Call], Any]


def _unary(path: str) -> Rule:
    return lambda call: function(path)(call.x)


def _binary(path: str) -> Rule:
    return lambda call: function(path)(*call.aligned(0, 1))


def _divide(call: Call) -> Any:
    tf = _tf.tensorflow()
    whole = np.dtype(call.dtype).kind in "iu"
    return (tf.truncatediv if whole else tf.divide)(*call.aligned(0, 1))


def _clip_1(call: Call) -> Any:
    return _tf.tensorflow().clip_by_value(call.x, -1.0, 1.0)


def _clip_0_to_1(call: Call) -> Any:
    return _tf.tensorflow().clip_by_value(call.x, 0.0, 1.0)


def _leaky_relu(call: Call) -> Any:
    return _tf.tensorflow().nn.leaky_relu(call.x, call.options["alpha"])


def _prelu(call: Call) -> Any:
    tf = _tf.tensorflow()
    x, alpha = call.aligned(0, 1)
    return tf.where(x >= 0, x, alpha * x)


def _hard_swish(call: Call) -> Any:
    return call.x * _tf.tensorflow().nn.relu6(call.x + 3.0) / 6.0


def _gelu(call: Call) -> Any:
    return _tf.tensorflow().nn.gelu(call.x, approximate=bool(call.options.get("approximate")))


def _softmax(call: Call) -> Any:
    return _tf.tensorflow().nn.softmax(call.x * float(call.options.get("beta", 1.0)), axis=-1)


def _log_softmax(call: Call) -> Any:
    return _tf.tensorflow().nn.log_softmax(call.x, axis=-1)


def _l2_normalization(call: Call) -> Any:
    return _tf.tensorflow().math.l2_normalize(call.x, axis=-1)


def _add_n(call: Call) -> Any:
    return _tf.tensorflow().add_n([call.full(place) for place in range(len(call.values))])


def _select(call: Call) -> Any:
    condition, x, y = (call.full(place) for place in range(3))
    if call.name == "SELECT" and len(call.shapes[0]) < len(call.shapes[1]):
        extra = len(call.shapes[1]) - len(call.shapes[0])
        condition = _tf.tensorflow().reshape(condition, [-1, *call.shapes[0], *[1] * extra])
        return _tf.tensorflow().where(condition, x, y)
    return _tf.tensorflow().where(*call.aligned(0, 1, 2))


def _cast(call: Call) -> Any:
    return _tf.tensorflow().cast(call.x, call.dtype)


def _zeros_like(call: Call) -> Any:
    return _tf.tensorflow().zeros_like(call.x)


ELEMENTWISE: dict[str, Rule] = {
    **{name: _unary(path) for name, path in {
        "ABS": "abs", "NEG": "negative", "EXP": "exp", "LOG": "math.log", "SQRT": "sqrt",
        "RSQRT": "math.rsqrt", "SQUARE": "square", "SIN": "sin", "COS": "cos", "FLOOR": "floor",
        "CEIL": "math.ceil", "ROUND": "round", "SIGN": "sign", "TANH": "tanh",
        "LOGISTIC": "sigmoid", "RELU": "nn.relu", "RELU6": "nn.relu6", "ELU": "nn.elu",
        "LOGICAL_NOT": "logical_not",
    }.items()},
    **{name: _binary(path) for name, path in {
        "ADD": "add", "SUB": "subtract", "MUL": "multiply", "POW": "pow", "MAXIMUM": "maximum",
        "MINIMUM": "minimum", "SQUARED_DIFFERENCE": "math.squared_difference",
        "FLOOR_DIV": "math.floordiv", "FLOOR_MOD": "math.floormod", "ATAN2": "atan2",
        "EQUAL": "equal", "NOT_EQUAL": "not_equal", "LESS": "less", "LESS_EQUAL": "less_equal",
        "GREATER": "greater", "GREATER_EQUAL": "greater_equal", "LOGICAL_AND": "logical_and",
        "LOGICAL_OR": "logical_or",
    }.items()},
    "DIV": _divide, "RELU_N1_TO_1": _clip_1, "RELU_0_TO_1": _clip_0_to_1,
    "LEAKY_RELU": _leaky_relu, "PRELU": _prelu, "HARD_SWISH": _hard_swish, "GELU": _gelu,
    "SOFTMAX": _softmax, "LOG_SOFTMAX": _log_softmax, "L2_NORMALIZATION": _l2_normalization,
    "ADD_N": _add_n, "SELECT": _select, "SELECT_V2": _select, "CAST": _cast,
    "ZEROS_LIKE": _zeros_like,
}  # fmt: skip
