"""Blocks that a network can do without: which there are, and what is left."""

from __future__ import annotations

from typing import Any

import numpy as np
from hand_made import O, T
from small_nets import Net

from edgekit.graph.read import read
from edgekit.runtimes.litert import LiteRT
from edgekit.structure.bypass import Block, blocks, bypass

RANDOM = np.random.default_rng(0)
ADD: Any = ("AddOptions", {})


def residual() -> Net:
    """conv, a branch of two convolutions that is added to it, mean, dense."""
    net = Net(4, 4, 2).conv(RANDOM.normal(size=(4, 3, 3, 2)))
    first = net.last
    net.conv(RANDOM.normal(size=(3, 1, 1, 4))).conv(RANDOM.normal(size=(4, 1, 1, 3)))
    net.tensors.append(T("sum", net.shape))
    net.ops.append(O("ADD", (first, net.last), (len(net.tensors) - 1,), ADD))
    net.last = len(net.tensors) - 1
    return net.mean().dense(RANDOM.normal(size=(2, 4)))


def test_a_branch_that_is_added_is_a_block() -> None:
    graph = read(residual().tflite())
    first, _, second, added = (op.outputs[0] for op in graph.ops[:4])
    assert blocks(graph) == (Block(first, second, (1, 2)), Block(first, added, (1, 2, 3)))


def test_layers_that_change_the_shape_are_none() -> None:
    net = Net(4, 4, 2).conv(RANDOM.normal(size=(4, 3, 3, 2))).conv(RANDOM.normal(size=(3, 1, 1, 4)))
    assert blocks(read(net.mean().dense(RANDOM.normal(size=(2, 3))).tflite())) == ()


def test_without_it_the_network_computes_what_is_left() -> None:
    net = residual()
    whole = net.tflite()
    small = bypass(whole, blocks(read(whole))[-1])
    graph = read(small)
    assert [op.name for op in graph.ops] == ["CONV_2D", "MEAN", "FULLY_CONNECTED"]
    assert len(graph.tensors) == len(read(whole).tensors)
    assert len(small) < len(whole)
    by_hand = Net(4, 4, 2)
    kernels = [tensor.data for tensor in net.tensors if tensor.name in ("w0", "w5")]
    by_hand.conv(kernels[0]).mean().dense(kernels[1])
    row = (RANDOM.normal(size=(1, 4, 4, 2)).astype(np.float32),)
    with LiteRT(small) as left, LiteRT(by_hand.tflite()) as right:
        np.testing.assert_allclose(left.run(row)[0], right.run(row)[0], rtol=1e-6)
