"""Random int8 models by a number: what `scripts/compiler_fuzz.py` and the tests draw from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from chains import RELU, RELU6, Chain, random_chain
from networks import network
from random_ops import random_operation


def random_mobile(seed: int) -> bytes:
    """Inverted residuals: 1x1 up, depthwise, 1x1 down, added where the shapes are one."""
    rng = np.random.default_rng(seed)
    net = Chain((1, *map(int, rng.integers(4, 10, 2)), 3), seed)
    net.conv(int(rng.integers(2, 9)), (3, 3), stride=2, activation=RELU6)
    for _ in range(int(rng.integers(1, 4))):
        before, (_, _, _, channels) = net.last, net.shape
        wanted = int(rng.choice([channels, int(rng.integers(2, 12))]))
        stride = int(rng.choice([1, 1, 2]))
        net.conv(channels * int(rng.integers(2, 5)), activation=RELU6)
        net.depthwise((3, 3), stride=stride, activation=RELU6).conv(wanted)
        if stride == 1 and wanted == channels:
            net.add(before)
    return net.mean().dense(int(rng.integers(2, 9))).model()


def random_stream(seed: int) -> bytes:
    """Convolutions along time alone, some of them depthwise with long kernels."""
    rng = np.random.default_rng(seed)
    net = Chain((1, int(rng.integers(8, 40)), 1, int(rng.integers(1, 14))), seed)
    for _ in range(int(rng.integers(2, 5))):
        taps = int(rng.integers(1, 1 + min(9, net.shape[1])))
        how = {"same": bool(rng.random() < 0.3), "activation": int(rng.choice([RELU, RELU6]))}
        if rng.random() < 0.5:
            net.depthwise((taps, 1), **how)
        else:
            net.conv(int(rng.integers(1, 20)), (taps, 1), **how)
    return net.dense(int(rng.integers(1, 4))).model()


def random_autoencoder(seed: int) -> bytes:
    """Dense layers down to few values and up again."""
    rng = np.random.default_rng(seed)
    width = int(rng.integers(8, 80))
    net = Chain((1, 1, 1, width), seed)
    for size in (width // 2, width // 4, 3, width // 4, width // 2, width):
        net.dense(max(1, size))
        if size != width:
            net.relu()
    return net.model()


KINDS: tuple[Callable[[int], bytes], ...] = (
    *(random_operation, random_operation, random_operation),
    *(random_chain, random_chain, network),
    *(random_mobile, random_stream, random_autoencoder),
)


def random_graph(seed: int) -> bytes:
    """Model number `seed`: all kinds come in turn."""
    return KINDS[seed % len(KINDS)](seed)
