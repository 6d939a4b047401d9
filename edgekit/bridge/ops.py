"""What the operators without weights compute, in TensorFlow: a table of name -> function.

Each function takes a `Call` and returns its output for every sample: a tensor that has the values
of [batch, *output shape] in that order (`layers` gives it the shape), or a list of such.
Source: tensorflow/lite/kernels/*.cc (reference kernels), for float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.call import Call, CannotLift
from edgekit.bridge.elementwise import ELEMENTWISE
from edgekit.bridge.moves import MOVES
from edgekit.bridge.spatial import SPATIAL
from edgekit.bridge.sums import SUMS

RULES = {**ELEMENTWISE, **MOVES, **SPATIAL, **SUMS}
CONSTANT = ("SHAPE", "RANK", "RANGE")
"""Operators whose output does not depend on the values of a sample."""
_REASONS = {
    "WHILE": "it is a loop",
    "IF": "it is a branch that depends on the input",
    "CALL_ONCE": "it keeps a state from one run to the next",
    "VAR_HANDLE": "it keeps a state from one run to the next",
}
_OWN_ACTIVATION = ("UNIDIRECTIONAL_SEQUENCE_LSTM",)


def compute(call: Call) -> list[Any]:
    """The outputs of the operator, with its fused activation, values in the order of the shape.

    Raises:
        CannotLift: The operator is not in the table, or not with these options.
    """
    if call.name in ("QUANTIZE", "DEQUANTIZE"):
        raise CannotLift("the model is quantized already", "start from the float model")
    if call.name not in RULES:
        raise CannotLift(_REASONS.get(call.name, "edgekit has no such layer to train"))
    results = RULES[call.name](call)
    results = list(results) if isinstance(results, list | tuple) else [results]
    fused = None if call.name in _OWN_ACTIVATION else fused_activation(call.options)
    if fused is None:
        return results
    activation = replace(call, name=fused, options={})
    return [RULES[fused](replace(activation, values=(result,))) for result in results]


def fused_activation(options: Mapping[str, Any]) -> str | None:
    """The operator for the activation in the options of another one.

    Raises:
        CannotLift: LiteRT's kernels pass over TANH and SIGN_BIT.
    """
    name = options.get("fused_activation_function") or "NONE"
    if name in ("TANH", "SIGN_BIT"):
        raise CannotLift(f"its fused activation is {name}, which LiteRT does not compute")
    return None if name == "NONE" else str(name)


def constants(call: Call) -> list[NDArray[Any]]:
    """The outputs of an operator that has only constants for inputs, or looks at shapes only.

    Raises:
        CannotLift: As `compute`.
    """
    return [
        np.asarray(result).reshape(shape)
        for result, shape in zip(compute(call), call.outputs, strict=True)
    ]
