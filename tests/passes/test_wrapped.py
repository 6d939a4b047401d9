"""What passes share: notes on what they leave as it is."""

from __future__ import annotations

import numpy as np
from hand_made import T
from small_nets import Net

from edgekit.bridge.lift import lift
from edgekit.passes import _wrapped as wrapped


def multiplied(constant: bool) -> bytes:
    """Dense, then BATCH_MATMUL with a constant or with itself, then Dense."""
    rng = np.random.default_rng(0)
    net = Net(4).dense(rng.normal(size=(4, 4)))
    other = net.last
    if constant:
        net.tensors.append(T("matrix", (4, 4), data=rng.normal(size=(4, 4)).astype(np.float32)))
        other = len(net.tensors) - 1
    options = ("BatchMatMulOptions", {"adjX": False, "adjY": not constant})
    net._append("BATCH_MATMUL", (net.last, other), (1, 4 if constant else 1), options)
    return net.dense(rng.normal(size=(3, net.shape[-1]))).tflite()


def test_weights_that_no_pass_works_on_are_named() -> None:
    (problem,) = wrapped.beyond("prune", lift(multiplied(constant=True)))
    assert "prune leaves y1 (BATCH_MATMUL) as is" in problem.message


def test_ops_without_weights_are_not() -> None:
    assert wrapped.beyond("prune", lift(multiplied(constant=False))) == []
