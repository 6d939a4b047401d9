"""The weights of layers that are to be split, and what errors in them weigh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import Lifted, LiftedLayer
from edgekit.errors import ModelError
from edgekit.passes._factors import Kernel, damped
from edgekit.passes._fisher import fisher
from edgekit.passes._moments import own
from edgekit.passes._thin import centred
from edgekit.passes.base import Context

Array = NDArray[Any]
_LEAST_FELT = 0.01
"""Of the mean over channels: that few rows did not feel a channel does not mean that none does."""


def weighed(
    lifted: Lifted, layers: Sequence[LiftedLayer], weighted: bool, context: Context
) -> list[Kernel]:
    """The weights of each layer, and what their errors weigh.

    Raises:
        ModelError: The model gives what is no number.
    """
    values = [_values(layer) for layer in layers]
    if not weighted:
        return [Kernel(v, np.eye(v[..., 0].size), np.ones(v.shape[-1])) for v in values]
    temperature = context.fine_tune.temperature
    felt = fisher(lifted, layers, context.rows, temperature=temperature, seed=context.seed)
    unknown = max((float(each.mean()) for each in felt.values()), default=1.0)
    moments = [centred(m)[0] for m in own(lifted, layers, context.rows)]
    _refuse_nan(moments)
    return [
        Kernel(v, damped(m), _floor(felt.get(layer.name, np.full(v.shape[-1], unknown))))
        for layer, v, m in zip(layers, values, moments, strict=True)
    ]


def _values(layer: LiftedLayer) -> Array:
    kernel = layer.kernel_array().astype(np.float64)
    return kernel.reshape(1, 1, *kernel.shape) if kernel.ndim == 2 else kernel


def _floor(felt: Array) -> Array:
    return np.asarray(felt + _LEAST_FELT * felt.mean() + np.finfo(np.float32).tiny)


def _refuse_nan(moments: Sequence[Array]) -> None:
    if not all(np.isfinite(each).all() for each in moments):
        raise ModelError(
            "the model gives NaN or infinity, so that its layers cannot be judged",
            "check the model and its preprocessing",
        )
