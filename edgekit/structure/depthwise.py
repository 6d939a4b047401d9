"""A CONV_2D whose channels see one input each, as the DEPTHWISE_CONV_2D that it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.weights import KINDS
from edgekit.graph import rewire

Array = NDArray[Any]
_SAME = ("padding", "strideH", "strideW", "dilationHFactor", "dilationWFactor")


def depthwise(model: Any, conv: Any, kernel: Array) -> Any:
    """The operator in place of `conv`, without activation; inputs and output are to be told.

    Args:
        model: Unpacked.
        conv: An `OperatorT` of a CONV_2D.
        kernel: [height, width, inputs, inputs * multiplier].
    """
    options = {name: getattr(conv.builtinOptions, name) for name in _SAME}
    multiplier = kernel.shape[3] // kernel.shape[2]
    return rewire.operator(
        model,
        "DEPTHWISE_CONV_2D",
        (),
        0,
        "DepthwiseConv2DOptions",
        depthMultiplier=multiplier,
        **options,
    )


def stored_depthwise(kernel: Array) -> Array:
    """The flatbuffer's kernel of such a convolution's: without what is zero in it."""
    height, width, inputs, outputs = kernel.shape
    parted = kernel.reshape(height, width, inputs, inputs, outputs // inputs)
    own = parted[:, :, np.arange(inputs), np.arange(inputs)]
    return KINDS["DEPTHWISE_CONV_2D"].to_flatbuffer(own.astype(np.float32))
