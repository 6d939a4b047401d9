"""Channels of float networks that change nothing: what counts as one, and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import O, T
from small_nets import NONE, RELU, Net

from edgekit.graph.read import read
from edgekit.structure.dead import dead
from edgekit.structure.dependencies import dependencies

RANDOM = np.random.default_rng(0)


def left(net: Net) -> dict[int, int]:
    """Operator -> how many of its channels stay."""
    known = dependencies(read(net.tflite()))
    keep = dead(known)
    return {site.op: int(keep[site.units].sum()) for site in known.made("rows")}


def filters(
    out: int, inputs: int, zero: tuple[int, ...] = (), unread: tuple[int, ...] = ()
) -> np.ndarray:
    values = RANDOM.normal(size=(out, 1, 1, inputs))
    values[list(zero)] = 0
    values[..., list(unread)] = 0
    return values


@pytest.mark.parametrize(
    ("bias", "activation", "stay"),
    [(0.0, NONE, 3), (-1.0, RELU, 3), (-1.0, NONE, 4), (1.0, RELU, 4)],
)
def test_a_filter_without_weights_gives_what_its_bias_gives(
    bias: float, activation: int, stay: int
) -> None:
    net = Net(3, 3, 2).conv(filters(4, 2, zero=(1,)), np.array([1, bias, 1, 1]), activation)
    assert left(net.conv(filters(3, 4)).mean().dense(RANDOM.normal(size=(2, 3))))[0] == stay


def test_what_only_dead_channels_read_is_dead() -> None:
    second = filters(4, 5)
    second[[0, 1, 2], ..., 3] = 0  # the last filter alone reads channel 3
    net = Net(3, 3, 2).conv(filters(5, 2)).conv(second)
    net.conv(filters(3, 4, unread=(3,))).mean().dense(RANDOM.normal(size=(2, 3)))
    assert left(net) == {0: 4, 1: 3, 2: 3, 4: 2}


def test_zeros_pass_depthwise_layers_without_a_bias_and_stop_at_others() -> None:
    for bias, stay in ((0.0, 4), (1.0, 5)):
        net = Net(3, 3, 2).conv(filters(5, 2, zero=(2,)))
        net.depthwise(RANDOM.normal(size=(1, 3, 3, 5)), np.full(5, bias))
        net.conv(filters(3, 5)).mean().dense(RANDOM.normal(size=(2, 3)))
        assert left(net)[0] == stay


def test_an_addition_is_zero_where_both_sides_are() -> None:
    for zero, stay in (((2,), 3), ((1,), 4)):
        net = Net(3, 3, 2).conv(filters(4, 2, zero=(2,)))
        first, net.last = net.last, 0
        net.conv(filters(4, 2, zero=zero))
        net.tensors.append(T("sum", net.shape))
        made = ("AddOptions", {})
        net.ops.append(O("ADD", (first, net.last), (len(net.tensors) - 1,), made))
        net.last = len(net.tensors) - 1
        assert left(net.mean().dense(RANDOM.normal(size=(2, 4))))[0] == stay


def test_a_layer_keeps_one() -> None:
    net = Net(3, 3, 2).conv(filters(4, 2, zero=(0, 1, 2, 3))).conv(filters(3, 4))
    assert left(net.mean().dense(RANDOM.normal(size=(2, 3))))[0] == 1
