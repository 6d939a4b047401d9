"""What passes share that leave a layer's weights few values: `cluster`, `quantize_bits`, ..."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.passes._moments import shared
from edgekit.passes._wrapped import kernel_of
from edgekit.passes.base import Context
from edgekit.passes.promises import Promise

Array = NDArray[Any]


class Held(Protocol):
    """What is around a layer whose weights are to have few values."""

    layer: LiftedLayer

    def snap(self, mine: Array, cross: Array) -> None:
        """Let the weights begin at the values that do best together.

        Args:
            mine: E[x x'] of the layer's inputs, with a 1 behind them.
            cross: E[x t'], where the layer is given t if no layer has few values.
        """


def snap(made: Sequence[Held], lifted: Lifted, tflite: bytes, context: Context) -> None:
    """Weights begin at the values that do best together, layer after layer.

    Args:
        made: In the order of the network.
        lifted: Has them around its layers.
        tflite: The same network without them.
        context: Rows to look at.
    """
    plain = lift(tflite, form="folded")
    for each in made:
        each.snap(*shared(each.layer, lifted, plain, context.rows))


def numbers(counts: Iterable[int]) -> str:
    """`16`, or `4 to 16` where layers differ."""
    known = sorted(set(counts))
    return str(known[0]) if len(known) == 1 else f"{known[0]} to {known[-1]}"


def achieved(layer: LiftedLayer) -> dict[str, float]:
    """For the log: distinct values and share of zeros."""
    kernel = kernel_of(layer)
    return {"distinct": len(np.unique(kernel)), "sparsity": float((kernel == 0).mean())}


def promise(layer: LiftedLayer, count: int) -> Promise:
    """Per channel, since its float weights are the values times a number of the channel."""
    return Promise(layer.name, layer.kernel, "distinct", count, per="channel")
