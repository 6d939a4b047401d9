"""A small residual network, and gates for its branches."""

from __future__ import annotations

import numpy as np
from hand_made import O, T
from small_nets import NONE, RELU, Net

from edgekit.structure.gates import Gate

CHANNELS = 4


def net(seed: int = 0) -> bytes:
    """conv, then twice relu(x + conv(conv(x))), mean, dense."""
    random = np.random.default_rng(seed)

    def kernel() -> np.ndarray:
        return random.normal(size=(CHANNELS, 3, 3, CHANNELS)) / 5

    made = Net(6, 6, CHANNELS).conv(kernel(), random.normal(size=CHANNELS) / 5)
    for _ in range(2):
        start = made.last
        made.conv(kernel(), np.zeros(CHANNELS), RELU).conv(kernel(), np.zeros(CHANNELS), NONE)
        options = ("AddOptions", {"fusedActivationFunction": RELU})
        made.tensors.append(T(f"sum{start}", made.shape))
        made.ops.append(O("ADD", (start, made.last), (len(made.tensors) - 1,), options))
        made.last = len(made.tensors) - 1
    return made.mean().dense(random.normal(size=(3, CHANNELS)), np.zeros(3)).tflite()


def gate(bias: float, weight: float = 0.0) -> Gate:
    """Gives `bias` plus `weight` times the mean of the first channel."""
    hidden = np.eye(1, CHANNELS)
    return Gate(hidden, np.zeros(1), np.full((1, 1), weight), np.full(1, bias))
