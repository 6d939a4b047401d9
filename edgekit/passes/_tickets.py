"""What tickets and supermasks share: initial values, and weights that are not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import Lifted, LiftedLayer
from edgekit.passes.promises import Promise

Array = NDArray[Any]
Values = Mapping[str, tuple[Array, Array | None]]
"""Layer name -> kernel in the layer's layout, and bias."""


def promises(layers: Sequence[LiftedLayer], kept: Mapping[str, Array]) -> list[Promise]:
    """That what is not kept is zero."""
    return [
        Promise(each.name, each.kernel, "sparsity", float((~kept[each.name]).mean()))
        for each in layers
        if each.name in kept and not kept[each.name].all()
    ]


def place(lifted: Lifted, values: Values, kept: Mapping[str, Array]) -> None:
    """Give the folded layers these kernels, zero where they are not kept, and biases."""
    for layer in lifted.layers:
        kernel, bias = values[layer.name]
        layer.kernel_variable.assign(kernel * kept.get(layer.name, np.True_))
        if bias is not None:
            layer.layer.bias.assign(bias)
