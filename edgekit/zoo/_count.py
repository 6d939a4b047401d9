"""What a Keras model costs, from its shapes: no conversion, which takes a minute for large ones."""

from __future__ import annotations

import math
from typing import Any

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D")


def parameters(model: Any) -> int:
    """Trained parameters: without the moving statistics of normalization."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def macs(model: Any) -> int:
    """Multiply-accumulates of one inference: of convolutions and dense layers."""
    return sum(_macs(layer) for layer in model.layers)


def _macs(layer: Any) -> int:
    kind = type(layer).__name__
    if kind != "Dense" and kind not in _CONVOLUTIONS:
        return 0
    places = layer.output.shape[1:3] if kind in _CONVOLUTIONS else layer.output.shape[1:-1]
    return int(math.prod(layer.kernel.shape) * math.prod(places))
